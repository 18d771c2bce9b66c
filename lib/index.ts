/** A userspace model of the KVM x86 MMU: the public surface. */
export { formatGpa, type Gpa, type PageSize, parseGpa, parseSize, type Word } from "./address.js";
export { type Access, type BatchState, EventBatch, type EventBatchOptions } from "./columns/event-batch.js";
export { EVENT_KINDS, type EventKind, OUTCOMES, type OutcomeCode } from "./columns/layout.js";
export { type Outcome, OutcomeBatch } from "./columns/outcome-batch.js";
export { type AliasConfig, type ResolvedVmConfig, resolveConfig, type VmConfig } from "./config.js";
export type { DirtyLog } from "./dirty-log.js";
export { ERROR_CODES, type ErrorCode, MmuError, TraceError } from "./errors.js";
export type { MemoryRegion, Memslot, MemslotSpec, Memslots } from "./memslots.js";
export { buildInfo, strategies } from "./native/build-info.js";
export { type Replay, type ReplayOptions, replay } from "./replay.js";
export { applyPlan, type PlanOptions, planReplay, type ReplayPlan } from "./replay-plan.js";
export { formatBytes, formatCount } from "./report/quantities.js";
export { type Diagnosis, type Finding, renderDiagnosis } from "./report/text-diagnosis.js";
export { type Inspection, renderInspection } from "./report/text-inspection.js";
export { renderText, type TextOptions } from "./report/text-report.js";
export { type Capture, findCapture, type MemslotDescription, readMemslots } from "./trace/capture-json.js";
export type { Compression } from "./trace/compression.js";
export { scanForDirtyRounds } from "./trace/dirty-log-scan.js";
export { type Guess, type InferredMemslots, inferMemslots } from "./trace/infer-memslots.js";
export type { OpenTraceOptions, TraceSource } from "./trace/open-trace.js";
export { registerTraceFormat, traceFormats } from "./trace/registry.js";
export { type Survey, surveyTrace, type TouchedPages, type TouchedRange } from "./trace/survey-trace.js";
export type { BatchesOptions, Trace } from "./trace/trace.js";
export {
  defineTraceFormat,
  type TraceFormat,
  type TraceSink,
  type TraceTotals,
} from "./trace/trace-format.js";
export { type WriteTraceOptions, type WrittenTrace, writeTrace } from "./trace/write-trace.js";
export { openTrace } from "./traces.js";
export { VERSION } from "./version.js";
export { createVm, type Leaf, type Leaves, type Step, type Tables, type Vm } from "./vm.js";
