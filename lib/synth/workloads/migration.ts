/**
 * Live migration by pre-copy: logging on, then rounds in each of which the
 * guest writes less, as the rounds are shorter, and a last one without it.
 *
 * The log is read and cleared as QEMU does it (KVM_GET_DIRTY_LOG, then
 * KVM_CLEAR_DIRTY_LOG). Writes have a hot spot: half of them go to an eighth
 * of each vCPU's memory.
 */
import { everyPage, operation, somePages } from "../passes.js";
import { defineWorkload, type Run } from "../workload.js";

const HOT_PART = 8;

export default defineWorkload({
  name: "migration",
  summary: "memory populated, then rounds of pre-copy in each of which half as many pages are touched",
  resembles: "a live migration: dirty_log_perf_test with a working set that shrinks",
  defaults: { iterations: 8 },
  *events(run) {
    const { iterations, writes } = run.options;
    yield* everyPage(run, 1);
    yield* operation(run, "dirty-log-enable");
    for (let round = 1; round <= iterations; round++) {
      yield* somePages(run, Math.floor(run.memory.pagesPerVcpu / 2 ** round), writes, () => warmPage(run));
      yield* operation(run, "dirty-log-get");
      yield* operation(run, "dirty-log-clear");
    }
    yield* operation(run, "dirty-log-disable");
  },
});

function warmPage({ random, memory }: Run): number {
  const isHot = random.chance(0.5);
  return random.below(isHot ? Math.ceil(memory.pagesPerVcpu / HOT_PART) : memory.pagesPerVcpu);
}
