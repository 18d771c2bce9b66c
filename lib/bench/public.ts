/** What a user has of the benchmarks. */
export { type BenchOptions, type BenchProgress, bench, benchTrials } from "./bench.js";
export type * from "./result.js";
