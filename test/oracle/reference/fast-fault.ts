/**
 * What a fault mends without the lock: W that only dirty logging took, and
 * rights put aside to learn of the next access. KVM: fast_page_fault() (v6.16).
 */
import type { Access } from "./access.js";
import type { Entry } from "./entries.js";
import { logWrite } from "./leaves.js";
import type { Slot } from "./memslots.js";
import { allows, has, wants } from "./rights.js";
import { type Leaf, makeYoung } from "./spte.js";
import type { State } from "./state.js";
import { type Answer, WRITE } from "./types.js";

/** `entry`: what hardware's walk ended on; nothing hardware could use is no present one. */
export function fastFix(
  state: State,
  access: Access,
  entry: Entry,
  slot: Slot | undefined,
): Answer | undefined {
  const hasAd = state.config.host.adBits;
  if (isPresent(access, entry) ? !has(access.bits, WRITE) : hasAd) return undefined;
  const leaf = leafFor(state, access);
  if (leaf === undefined) return undefined;
  const result = allows(leaf, wants(access)) ? "spurious" : mend(state, access, leaf, slot);
  if (result === undefined) return undefined;
  state.counters.pf_fast += 1;
  return { result, level: leaf.level, sptesChanged: result === "fixed" ? 1 : 0 };
}

/** Bit 0 of a fault's code: hardware found some permission. Nobody's hardware looks for a page mapped ahead. */
export function isPresent({ isAhead }: Access, entry: Entry): boolean {
  return !isAhead && entry.kind === "leaf" && (entry.leaf.r || entry.leaf.w || entry.leaf.x);
}

/** By KVM's own walk where it has one, else by hardware's. */
function leafFor({ tdp, mappings, shape }: State, { root, issued }: Access): Leaf | undefined {
  const { entry } = mappings.walk(root, tdp === undefined ? issued : shape.tableFrame(issued));
  return entry.kind === "leaf" ? entry.leaf : undefined;
}

function mend(state: State, access: Access, leaf: Leaf, slot: Slot | undefined): "fixed" | undefined {
  const restores = leaf.saved !== undefined;
  const unprotects = has(access.bits, WRITE) && leaf.mmuWritable && !leaf.w;
  if (unprotects && leaf.level > 1 && slot?.logged === true) return undefined;
  const { r, x } = leaf.saved ?? leaf;
  const w = leaf.w || unprotects;
  if (!(restores || unprotects) || !allows({ r, w, x }, wants(access))) return undefined;
  if (restores) makeYoung(leaf);
  leaf.w = w;
  if (unprotects && slot !== undefined) logWrite(state, slot, access, leaf);
  return "fixed";
}
