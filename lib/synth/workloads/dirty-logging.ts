/**
 * Dirty logging: populate, switch logging on, rounds of writes and of reading
 * the log, switch it off.
 *
 * What `dirty_log_perf_test -g` does, where reading the log also clears it;
 * without -g the test clears in a call of its own, which `migration` has.
 */
import { everyPage, operation } from "../passes.js";
import { defineWorkload } from "../workload.js";

export default defineWorkload({
  name: "dirty-logging",
  summary: "memory populated, then rounds of a pass over all of it and a dirty log that is read and cleared",
  resembles: "dirty_log_perf_test -g",
  defaults: { iterations: 2 },
  *events(run) {
    const { iterations, writes } = run.options;
    yield* everyPage(run, writes);
    yield* operation(run, "dirty-log-enable");
    for (let iteration = 0; iteration < iterations; iteration++) {
      yield* everyPage(run, writes);
      yield* operation(run, "dirty-log-get");
    }
    yield* operation(run, "dirty-log-disable");
  },
});
