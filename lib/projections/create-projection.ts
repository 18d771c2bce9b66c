/**
 * From the text of a projection to one that runs; refuses what contradicts
 * the machine.
 */
import { expectOneOf, outOfRange } from "../expect.js";
import { AliasProjection } from "./alias-projection.js";
import { passThrough } from "./pass-through.js";
import type { Projection, ProjectionContext, ProjectionKind } from "./projection.js";
import { projectionKinds } from "./registry.js";

/** Why a preset's aliases cannot be projected onto. */
const NO_ALIAS = {
  none: "absent, as the preset has no alias bit",
  stripped: "absent, as the hardware strips the preset's alias bit",
} as const;

/**
 * Begins a pass through a projection.
 *
 * Without a text it is the one that every trace needs where memory is private
 * or shared: RAM private, everything else shared. A trace whose own addresses
 * carry alias bits (`carriesAliasBit`) wants `passThrough()` there instead.
 *
 * @param text `range:<start>-<end>`, `bounce`, `fetch`, `fraction:<p>,<seed>`
 * or `churn:<n>,<seed>`
 * @throws (rejects) TypeError or RangeError with code `ERR_CONFIG` if the text is written wrongly
 * or contradicts the preset or the trace
 * @example
 * const projection = await createProjection("churn:64,1", context);
 * for await (const batch of projectBatches(trace.batches(), projection, { size: 65_536, extra: false })) ...
 */
export async function createProjection(
  text: string | undefined,
  context: ProjectionContext,
): Promise<Projection> {
  if (text === undefined) return unasked(context);
  const kind = await kindOf(text);
  const refusal = refusalOf(kind, context);
  if (refusal !== undefined) throw outOfRange("project", refusal, text);
  const choice = kind.open(text, context);
  return new AliasProjection({ text: choice.text, choice, ramOnly: kind.ramOnly }, context);
}

/** Whether an address carries an alias bit already, or is wider than the machine's. */
export function carriesAliasBit(gpa: number, { aliases }: Pick<ProjectionContext, "aliases">): boolean {
  return gpa >= (aliases[1] ?? Number.POSITIVE_INFINITY);
}

function unasked(context: ProjectionContext): Projection {
  if (context.kind !== "private-shared") return passThrough();
  return new AliasProjection({ text: undefined, choice: { next: () => 0 }, ramOnly: true }, context);
}

async function kindOf(text: string): Promise<ProjectionKind> {
  const kinds = await projectionKinds();
  const names = kinds.map(({ name }) => name);
  const asked = typeof text === "string" ? (text.split(":", 1)[0] as string) : text;
  return kinds[names.indexOf(expectOneOf("project", asked, names))] as ProjectionKind;
}

function refusalOf(kind: ProjectionKind, context: ProjectionContext): string | undefined {
  if (context.kind === "none" || context.kind === "stripped") return NO_ALIAS[context.kind];
  return kind.refusal?.(context);
}
