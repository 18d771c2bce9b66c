/**
 * The library driven with the plain numbers of random sequences: access bits
 * instead of words, levels instead of page sizes.
 */
import { EVENT_KINDS } from "../../lib/columns/layout.js";
import {
  type Access,
  EventBatch,
  type MemoryRegion,
  type Outcome,
  OutcomeBatch,
  type Vm,
} from "../../lib/index.js";
import { createFor } from "../oracle/differential/vm-surface.js";
import type { ReferenceConfig, ReferenceEvent, Region } from "../oracle/reference/types.js";

const WORDS: readonly Access[] = ["read", "write", "fetch"];
const SIZES = ["4K", "4K", "2M", "1G"] as const;

export const wordsOf = (bits: number): Access[] =>
  WORDS.filter((_, i) => Math.floor(bits / 2 ** i) % 2 === 1);

export const sizeOf = (level: number) => SIZES[level] ?? "4K";

export const aVm: (config: ReferenceConfig) => Vm = createFor;

export function memoryRegion({ backing, memfd, isOldIoctl: _, ...region }: Region): MemoryRegion {
  const file = memfd === undefined ? {} : { memfd: memfd.fd, memfdOffset: memfd.offset };
  return { ...region, ...file, backing: sizeOf(backing) };
}

/** A VM with those of the slots that are not refused. */
export function vmWithSlots(config: ReferenceConfig, slots: readonly Region[]): Vm {
  const vm = aVm(config);
  for (const slot of slots) {
    try {
      vm.memslots.set(memoryRegion(slot));
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith("ERR_MEMSLOT_")) throw error;
    }
  }
  return vm;
}

/** Runs the events as batches of at most `batchSize` rows. */
export function runEvents(
  vm: Vm,
  events: readonly ReferenceEvent[],
  batchSize = Math.max(events.length, 1),
): Outcome[] {
  const all: Outcome[] = [];
  const batch = new EventBatch(batchSize);
  const outcomes = new OutcomeBatch(batchSize);
  for (let start = 0; start < events.length; start += batchSize) {
    batch.reset();
    for (const { kind, gpa, bytes, access, vcpu } of events.slice(start, start + batchSize)) {
      if (kind === "access") batch.pushAccess(gpa, wordsOf(access), vcpu);
      else batch.pushRow(EVENT_KINDS.indexOf(kind), gpa, bytes, vcpu, 0);
    }
    vm.runSync(batch, outcomes);
    for (let row = 0; row < batch.count; row++) all.push(outcomes.at(row));
  }
  return all;
}
