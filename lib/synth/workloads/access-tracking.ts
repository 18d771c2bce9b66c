/**
 * Access tracking: pages marked idle, then written; marked idle, then read.
 *
 * What `access_tracking_perf_test` does with page_idle, and what a host does
 * all day to find memory that it can take: Accessed bits cleared through the
 * mmu_notifier, and found set again.
 */
import { everyPage, everySlotHva } from "../passes.js";
import { defineWorkload } from "../workload.js";

export default defineWorkload({
  name: "access-tracking",
  summary: "memory populated, then rounds of: marked idle, all written, marked idle, all read",
  resembles: "access_tracking_perf_test",
  defaults: { iterations: 1 },
  *events(run) {
    yield* everyPage(run, 1);
    for (let iteration = 0; iteration < run.options.iterations; iteration++) {
      yield* everySlotHva(run, "age");
      yield* everyPage(run, run.options.writes);
      yield* everySlotHva(run, "age");
      yield* everyPage(run, 0);
    }
  },
});
