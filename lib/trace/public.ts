/** What a user has of traces, but for opening one, which needs the native decoders. */
export { type Capture, findCapture, type MemslotDescription, readMemslots } from "./capture-json.js";
export type { Compression } from "./compression.js";
export { scanForDirtyRounds } from "./dirty-log-scan.js";
export { formatOfPath, type NamedForm } from "./format-of-path.js";
export { type Guess, type InferredMemslots, inferMemslots } from "./infer-memslots.js";
export type { OpenTraceOptions, TraceSource } from "./open-trace.js";
export { registerTraceFormat, traceFormats } from "./registry.js";
export { type Survey, surveyTrace, type TouchedPages, type TouchedRange } from "./survey-trace.js";
export type { BatchesOptions, Trace } from "./trace.js";
export type { TraceFormat, TraceGap, TraceSink, TraceTotals, VendorGuess } from "./trace-format.js";
export { defineTraceFormat } from "./trace-format.js";
export { type WriteTraceOptions, type WrittenTrace, writeTrace } from "./write-trace.js";
