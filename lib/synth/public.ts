/** What a user has of made-up traces. */
export type { SynthMemslot } from "./guest-memory.js";
export type { SynthOptions } from "./options.js";
export { workloads } from "./registry.js";
export { type Synthesis, synthesize } from "./synthesize.js";
export type { Workload } from "./workload.js";
export type { WorkloadOptions } from "./workload-options.js";
