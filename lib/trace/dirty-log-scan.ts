/**
 * A first look: does a trace hold dirty-log rounds?
 *
 * If so, the recorded guest ran under dirty logging, and so should the replay;
 * unless the trace itself says when logging began.
 */
import { KIND } from "../columns/event-batch.js";
import { expectRewindable } from "./survey-trace.js";
import type { Trace } from "./trace.js";

/**
 * Whether the trace holds a dirty-log round before any event that switches
 * logging on. Stops at the first of either; a trace without any is read to its
 * end, unless its format cannot hold any.
 *
 * @throws MmuError `ERR_BUSY` for a stream, which can be read only once
 */
export async function scanForDirtyRounds(trace: Trace, signal?: AbortSignal): Promise<boolean> {
  if (!trace.hasOperations) return false;
  expectRewindable(trace, "look for dirty-log rounds in");
  for await (const batch of trace.batches({ signal })) {
    const kinds = batch.kind.subarray(0, batch.count);
    const [round, on] = [kinds.indexOf(KIND["dirty-log-get"]), kinds.indexOf(KIND["dirty-log-enable"])];
    if (round >= 0 || on >= 0) return round >= 0 && (on < 0 || round < on);
  }
  return false;
}
