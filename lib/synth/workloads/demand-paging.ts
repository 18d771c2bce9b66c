/**
 * Demand paging: every page is touched for the first time.
 *
 * What `demand_paging_test` does: each vCPU goes through its memory once, and
 * each page is a fault. Each further iteration comes after the host took
 * everything back, as it does when a guest is restored lazily or swapped out.
 */
import { everyPage, everySlotHva } from "../passes.js";
import { defineWorkload } from "../workload.js";

export default defineWorkload({
  name: "demand-paging",
  summary:
    "every page touched for the first time; before each further iteration the host takes all memory back",
  resembles: "demand_paging_test",
  defaults: { iterations: 1 },
  *events(run) {
    for (let iteration = 0; iteration < run.options.iterations; iteration++) {
      if (iteration > 0) yield* everySlotHva(run, "hva-invalidate");
      yield* everyPage(run, run.options.writes);
    }
  },
});
