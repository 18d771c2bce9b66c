// The only file that knows the `benchmark` package: a function in, samples of
// its duration out.
//
// The package chooses how often to repeat the function so that the clock's
// resolution does not matter. Medians are ours: its own mean follows whatever
// else the machine does.
import Benchmark from "benchmark";
import { median, spread } from "./stats.mjs";

/** Ten samples at least; fast functions get more. */
const MIN_SAMPLES = 10;

/**
 * @param run what is timed; it may return a promise if `isAsync`
 * @param events how many events one call handles
 */
export function measure({ run, events, isAsync = false, seconds = 2 }) {
  return new Promise((resolve, reject) => {
    const deferred = (job) => run().then(() => job.resolve(), reject);
    new Benchmark({
      fn: isAsync ? deferred : run,
      defer: isAsync,
      minSamples: MIN_SAMPLES,
      maxTime: seconds,
      onError: ({ target }) => reject(target.error),
      onComplete: ({ target }) => resolve(summary(target.stats.sample, events)),
    }).run({ async: true });
  });
}

function summary(sample, events) {
  const ns = sample.map((seconds) => (seconds * 1e9) / events);
  return { nsPerEvent: median(ns), spread: spread(ns), samples: ns.length };
}
