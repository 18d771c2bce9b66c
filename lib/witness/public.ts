/** What the library offers of this folder: the search, its result, and what can be made of one. */
export { type WitnessOptions, witness } from "../witness.js";
export { witnessTest } from "./export-test.js";
export { checkWitness } from "./from-check.js";
export type { WitnessProgress } from "./pace.js";
export type * from "./report.js";
export { type WitnessFiles, witnessFiles } from "./save.js";
