/**
 * Who is told that translations are gone. A strategy's row says which ranges
 * the provider is called with; whatever it cannot do, every vCPU does in full.
 * KVM: kvm_flush_remote_tlbs(), kvm_flush_remote_tlbs_range() (v6.16).
 */

import type { AliasPolicy } from "./alias-policy.js";
import { moved, type Range, rangeAt, sizeOf, span } from "./frames.js";
import { judgeRequest } from "./judge-flush.js";
import { judgeCompletedFlush } from "./judge-tlb.js";
import type { State } from "./state.js";

/** What one hypercall's list of ranges holds. */
const HYPERV_PAGES = 510 * 2048;

/** A present leaf lost something here: it went, lost W, or was replaced. `frame` is as issued. */
export function take(state: State, frame: number, level: number): void {
  const { now, shape } = state;
  for (const alias of sharersOf(state, frame)) now.sharers.add(alias);
  const { start, end } = rangeAt(frame, level);
  const alias = shape.aliases.aliasOf(frame);
  const before = now.taken.get(alias) ?? { start, end };
  now.taken.set(alias, { start: Math.min(before.start, start), end: Math.max(before.end, end) });
}

/** Aliases whose walks end in the table that this frame's walk ends in, if it has not an entry for each of them. */
function sharersOf({ rmap, shape }: State, frame: number): number[] {
  if (rmap === undefined) return [];
  const canonical = shape.aliases.canonical(frame);
  const table = rmap.shadow.end(shape.rootOf(frame), frame);
  if (table === undefined || span(table.level + 1) > shape.aliases.offset(1)) return [];
  return shape.aliases.all().filter((alias) => {
    const issued = shape.issue(canonical, alias);
    return rmap.shadow.end(shape.rootOf(issued), issued) === table;
  });
}

export function flushAll(state: State): void {
  const { counters, flush, now, config } = state;
  counters.remote_tlb_flush_requests += 1;
  flush.full += 1;
  now.scope = "full";
  const isHooked = config.flushProvider === "hyperv";
  if (isHooked || !now.isOfVcpu || config.vcpus > 1) counters.remote_tlb_flush += 1;
  if (!isHooked) counters.tlb_flush += config.vcpus;
  for (const each of [...state.tlbs, ...state.links]) each.flush();
  now.taken.clear();
  now.sharers.clear();
}

/** Flushes frames of memslots, as far as the strategy's row takes it. */
export function flushRange(state: State, range: Range): void {
  judgeRequest(state, range);
  if (state.config.flushProvider === "none" && state.policy.flushPlan !== "live-aliases") flushAll(state);
  else PLANS[state.policy.flushPlan](state, range);
  state.now.taken.clear();
  state.now.sharers.clear();
  judgeCompletedFlush(state, range);
}

/** Flushes what one entry of `level` covers. */
export function flushEntry(state: State, slotFrame: number, level: number): void {
  flushRange(state, rangeAt(slotFrame, level));
}

const PLANS: Readonly<Record<AliasPolicy["flushPlan"], (state: State, range: Range) => void>> = {
  "as-given": (state, range) => {
    if (!call(state, range)) flushAll(state);
  },
  "v5-as-posted": (state, range) => {
    if (state.shape.aliases.bits > 1 || !call(state, range)) flushAll(state);
  },
  "v5-as-reviewed": (state, range) => {
    const { bits } = state.shape.aliases;
    const isDone = bits <= 1 && call(state, range);
    if (bits > 0 || !isDone) flushAll(state);
  },
  // Nobody looks at what the second call came to.
  "both-aliases": (state, range) => {
    const { bits } = state.shape.aliases;
    if (bits > 1 || !call(state, range)) flushAll(state);
    else if (bits === 1) call(state, moved(range, state.shape.aliases.offset(1)));
  },
  "live-aliases": (state) => {
    const hulls = [...state.now.taken].sort(([a], [b]) => a - b).map(([, hull]) => hull);
    if (hulls.length === 0) state.flush.none += 1;
    else if (state.config.flushProvider === "none" || !hulls.every((hull) => call(state, hull)))
      flushAll(state);
  },
};

/** One call of the provider, for frames as issued. */
function call(state: State, range: Range): boolean {
  const { flush, now } = state;
  state.asked.provider += 1;
  if (!succeeds(state.config.flushProvider, state.asked.provider, sizeOf(range))) return false;
  flush.range += 1;
  flush.pages += sizeOf(range);
  now.pages += sizeOf(range);
  if (now.scope === "none") now.scope = "range";
  for (const each of [...state.tlbs, ...state.links]) each.flushRange(range);
  return true;
}

function succeeds(provider: string, nth: number, pages: number): boolean {
  if (provider === "hyperv") return pages <= HYPERV_PAGES;
  return nth % Number(provider.slice("fail:".length)) !== 0;
}
