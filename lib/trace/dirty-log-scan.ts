/**
 * A first look: does a trace hold dirty-log rounds?
 *
 * If so, the recorded guest ran under dirty logging, and so should the replay.
 */
import { KIND } from "../columns/event-batch.js";
import { expectRewindable } from "./survey-trace.js";
import type { Trace } from "./trace.js";

/**
 * Whether the trace holds a dirty-log round. Stops at the first one; a trace
 * without any is read to its end, unless its format cannot hold any.
 *
 * @throws MmuError `ERR_BUSY` for a stream, which can be read only once
 */
export async function scanForDirtyRounds(trace: Trace, signal?: AbortSignal): Promise<boolean> {
  if (!trace.hasOperations) return false;
  expectRewindable(trace, "look for dirty-log rounds in");
  for await (const batch of trace.batches({ signal })) {
    const at = batch.kind.indexOf(KIND["dirty-log-get"]);
    if (at >= 0 && at < batch.count) return true;
  }
  return false;
}
