/** A VM of one slot, of which some pages are mapped. */
import { OutcomeBatch } from "../columns/outcome-batch.js";
import { createVm, type Vm } from "../vm.js";
import { randomPages, type Shape, spanOf, writesOf } from "./pages.js";

/** Rows of a batch, as callers have them. */
export const BATCH = 65_536;

export function mappedVm(shape: Shape, gpas: Float64Array = randomPages(shape)): Vm {
  const vm = createVm();
  vm.memslots.add({ gpa: 0, bytes: spanOf(shape) });
  const outcomes = new OutcomeBatch(BATCH);
  // A part at a time: batches of all pages would outweigh the tables.
  for (let from = 0; from < gpas.length; from += BATCH) {
    for (const batch of writesOf(gpas.subarray(from, from + BATCH), BATCH)) vm.runSync(batch, outcomes);
  }
  return vm;
}
