/**
 * Which way the accesses of a trace go on a VM with aliases: as they were
 * recorded, or projected.
 *
 * Recorded guests rarely had alias bits, and one whose memory is private has to
 * be sent there. It must not know how a projection works.
 */
import { type EventBatch, KIND } from "./columns/event-batch.js";
import { MmuError } from "./errors.js";
import { outOfRange, wrongType } from "./expect.js";
import { createProjection, type Projection, projectBatches } from "./projections/index.js";
import { findCapture } from "./trace/capture-json.js";
import type { Trace } from "./trace/trace.js";
import type { AliasPreset, Vm } from "./vm.js";

/** Each access as the trace has it. */
export const AS_RECORDED = "as-recorded";
/** Each access through the alias where its memory is at first: RAM private, everything else shared. */
export const HOME = "home";
const AUTO = "auto";

/** The part of a VM's configuration that a projection depends on. */
export interface Aliasing {
  readonly strategy: string;
  readonly preset: AliasPreset;
}

/**
 * The projection that applies: the one that was asked for, else, under a
 * private/shared preset, `home`, unless the trace's own addresses carry alias
 * bits.
 *
 * @param asked `auto`, `as-recorded`, `home`, or the text of a projection
 * @throws RangeError with code `ERR_CONFIG` for a projection where there are no
 * aliases; MmuError `ERR_BUSY` for a stream that would have to be looked at
 */
export async function chooseProjection(
  trace: Trace,
  { strategy, preset }: Aliasing,
  asked: unknown = AUTO,
  signal?: AbortSignal,
): Promise<string> {
  if (typeof asked !== "string" || asked === "")
    throw wrongType("project", "the name of a projection", asked);
  const hasAliases = strategy !== "none" && preset.aliases.length > 1;
  if (asked === AS_RECORDED || (asked === AUTO && preset.kind !== "private-shared")) return AS_RECORDED;
  if (!hasAliases) {
    if (asked === AUTO || asked === HOME) return AS_RECORDED;
    const hasBits = preset.aliases.length > 1;
    const where = hasBits ? `alias.strategy is "${strategy}"` : `alias.preset is "${preset.preset}"`;
    throw outOfRange("project", `"${AS_RECORDED}" where ${where}, which leaves no alias to choose`, asked);
  }
  if (asked !== AUTO) return asked;
  return (await carriesAliasBits(trace, preset.aliases[1] as number, signal)) ? AS_RECORDED : HOME;
}

/** A pass that was begun: its projection, if there is one, and what to call it. */
export interface Projecting {
  readonly text: string;
  readonly projection: Projection | undefined;
}

/**
 * Begins a pass of a trace through the projection that was chosen.
 *
 * @throws (rejects) TypeError or RangeError with code `ERR_CONFIG` for a
 * projection that is written wrongly or that this VM or trace cannot have
 */
export async function startProjection(chosen: string, vm: Vm, trace: Trace): Promise<Projecting> {
  if (chosen === AS_RECORDED) return { text: AS_RECORDED, projection: undefined };
  const { aliases, kind, executeOnly } = vm.preset;
  const capture = await findCapture(trace.path);
  const projection = await createProjection(chosen === HOME ? undefined : chosen, {
    aliases,
    kind,
    executeOnly,
    memslots: [...vm.memslots].filter(({ asId }) => asId === 0),
    bounce: capture?.bounce,
    internalSlots: vm.config.internalSlots,
  });
  return { text: projection.text ?? HOME, projection };
}

/** The batches as the projection sends them; the very same ones if there is none. */
export function projected(
  batches: AsyncIterable<EventBatch>,
  { projection }: Projecting,
  size: number,
): AsyncIterable<EventBatch> {
  return projection === undefined ? batches : projectBatches(batches, projection, { size, extra: true });
}

// Stops at the first such address; a trace without any is read to its end.
async function carriesAliasBits(trace: Trace, lowest: number, signal?: AbortSignal): Promise<boolean> {
  if (!trace.rewindable) {
    const message = `${trace.source} can be read only once, so project cannot be found out from it: say it`;
    throw new MmuError("ERR_BUSY", message);
  }
  for await (const { kind, gpa, count } of trace.batches({ signal })) {
    for (let row = 0; row < count; row++) {
      if (kind[row] === KIND.access && (gpa[row] as number) >= lowest) return true;
    }
  }
  return false;
}
