/**
 * Advice about flushes by range: one that covers an alias which had nothing to
 * lose costs something for nothing. Only where a provider takes ranges.
 */
import type { AliasPolicy } from "./alias-policy.js";
import { meets, moved, type Range, rangeAt, sizeOf } from "./frames.js";
import { advise } from "./judge.js";
import type { State } from "./state.js";
import { coverOf } from "./tlb.js";

/** Before a flush of these frames of memslots is made. */
export function judgeRequest(state: State, range: Range): void {
  const { config, policy, shape } = state;
  if (config.flushProvider === "none" || shape.aliases.count === 1) return;
  const covered = COVERED[policy.flushPlan](state, range);
  if (covered.some((frames) => !wasLive(state, frames))) advise(state, "flush-wider-than-live");
}

/** Frames as issued, alias by alias. */
const COVERED: Readonly<Record<AliasPolicy["flushPlan"], (state: State, range: Range) => Range[]>> = {
  "as-given": (_, range) => [range],
  "v5-as-posted": (state, range) => (state.shape.aliases.bits > 1 ? throughAll(state, range) : [range]),
  "v5-as-reviewed": throughAll,
  "both-aliases": throughAll,
  // By definition.
  "live-aliases": () => [],
};

function throughAll({ shape: { aliases } }: State, range: Range): Range[] {
  const start = aliases.canonical(range.start);
  return aliases.all().map((alias) => moved({ start, end: start + sizeOf(range) }, aliases.offset(alias)));
}

/** Whether that alias had a leaf of these frames when the operation began, or a vCPU remembers one. */
function wasLive(state: State, frames: Range): boolean {
  const { shape, mappings, tlbs, now, lives } = state;
  const alias = shape.aliases.aliasOf(frames.start);
  if (now.taken.has(alias) || now.sharers.has(alias)) return true;
  const isMapped = mappings
    .reached(shape.rootOf(frames.start))
    .some(({ frame, entry }) => entry.kind === "leaf" && meets(rangeAt(frame, entry.leaf.level), frames));
  if (isMapped) return true;
  const remembered = tlbs.flatMap((tlb) => tlb.entries());
  return remembered.some((entry) => entry.life === lives[entry.root] && meets(coverOf(entry), frames));
}
