/**
 * The trace functions of the library, with the native decoders handed in.
 *
 * Only here do traces and the addon meet.
 */
import { loadAddon } from "./native/addon.js";
import { type OpenTraceOptions, openTraceWith, type TraceSource } from "./trace/open-trace.js";
import type { Trace } from "./trace/trace.js";

export { learntGuesses } from "./trace/learnt-guesses.js";
export { TRACE_VENDORS, type TraceVendor } from "./trace/vendors.js";

/**
 * Opens a recorded trace. How it is compressed and in which format it is are
 * found out from its content.
 *
 * @param source a path, a `file:` URL, `"-"` for stdin, or a stream of bytes
 * @throws (rejects) TraceError if it is empty or no format recognises it;
 * TypeError or RangeError with code `ERR_CONFIG` for a bad option; the
 * system's error (`ENOENT`, ...) if the file cannot be read
 * @example
 * const trace = await openTrace("boot.faults.bin.br");
 * for await (const batch of trace.batches()) console.log(batch.count);
 */
export async function openTrace(source: TraceSource, options: OpenTraceOptions = {}): Promise<Trace> {
  return openTraceWith(loadAddon(), source, options);
}
