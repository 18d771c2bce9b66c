/**
 * Conversion storms: a confidential guest turns memory from private to shared
 * and back, and uses it each time through the alias that it then has.
 *
 * What `private_mem_conversions_test` does, and a TDX guest whose bounce
 * buffers come and go: blocks of 4K to 2M at random places, each converted
 * (KVM_SET_MEMORY_ATTRIBUTES) and then touched page by page. Shared accesses
 * carry the alias bit, so a replay needs a preset that knows it.
 */
import { PAGE_BYTES } from "../../address.js";
import { everyPage } from "../passes.js";
import { defineWorkload, type Run } from "../workload.js";

const ORDERS = 10;

export default defineWorkload({
  name: "conversion-storm",
  summary:
    "random blocks of 4K to 2M turned from private to shared and back, and used; replay with --alias tdx47",
  resembles: "private_mem_conversions_test",
  defaults: { iterations: 1000 },
  *events(run) {
    const isShared = new Uint8Array(run.memory.pages);
    yield* everyPage(run, run.options.writes);
    for (let iteration = 0; iteration < run.options.iterations; iteration++) yield* convert(run, isShared);
  },
});

function* convert({ out, random, memory, options }: Run, isShared: Uint8Array): Generator<void> {
  const wanted = 2 ** random.below(ORDERS);
  const page = Math.floor(random.below(memory.pages) / wanted) * wanted;
  const pages = Math.min(wanted, memory.pagesLeftInSlot(page));
  const shared = isShared[page] === 0;
  isShared.fill(shared ? 1 : 0, page, page + pages);
  if (out.isFull) yield;
  out.attributes(memory.gpa(page), pages * PAGE_BYTES, shared ? "shared" : "private");
  const vcpu = random.below(options.vcpus);
  const alias = shared ? 2 ** options.aliasBit : 0;
  for (let each = page; each < page + pages; each++) {
    if (out.isFull) yield;
    out.access(alias + memory.gpa(each), vcpu, random.chance(options.writes));
  }
}
