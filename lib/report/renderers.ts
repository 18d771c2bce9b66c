/** What the library offers of this folder: results made into text, and the formats of numbers in it. */
export { formatBytes, formatCount } from "./quantities.js";
export { renderReport, reportFormats } from "./report-registry.js";
export { renderBench, renderBenchTrials } from "./text-bench.js";
export { renderCheck } from "./text-check.js";
export { renderComparison } from "./text-comparison.js";
export { type Diagnosis, type Finding, renderDiagnosis } from "./text-diagnosis.js";
export { renderExplanation } from "./text-explanation.js";
export { type Inspection, renderInspection } from "./text-inspection.js";
export { renderKvmVerification } from "./text-kvm-verification.js";
export { renderText, type TextOptions } from "./text-report.js";
export { renderStrategies, type StrategyList } from "./text-strategies.js";
export { renderTraceVerification } from "./text-trace-verification.js";
export { renderVerification } from "./text-verification.js";
export { renderWitness } from "./text-witness.js";
