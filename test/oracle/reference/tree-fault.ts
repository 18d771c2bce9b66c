/**
 * The mapping part of a fault, flavour tdp. KVM: kvm_tdp_mmu_map(),
 * tdp_mmu_map_handle_target_level(), and for a mirror root what
 * __tdp_mmu_set_spte_atomic() asks of the TDX module (v6.16).
 */
import type { Access } from "./access.js";
import type { Entry } from "./entries.js";
import { flushEntry, take } from "./flush.js";
import { floorTo } from "./frames.js";
import { isWriteProtected, logWrite, mmioGeneration, newLeaf, type Wish, wishOf } from "./leaves.js";
import type { Slot } from "./memslots.js";
import type { Paging } from "./paging.js";
import { allows } from "./rights.js";
import { type Leaf, renderLeaf } from "./spte.js";
import type { State } from "./state.js";
import { type Answer, unserved } from "./types.js";

interface Way {
  /** Level of the entry that it leads to. */
  readonly level: number;
  readonly changed: number;
  /** Why the way ends too early. */
  readonly refused?: "retry" | "error" | undefined;
}

export function faultOnTree(state: State, access: Access, slot: Slot | undefined): Answer {
  if (state.tdp === undefined) throw new Error("no trees in this flavour");
  const tree = state.tdp.tree(access.root);
  const frame = state.shape.tableFrame(access.issued);
  const way = makeWay(state, access, tree, frame, wishOf(state, slot, access));
  if (way.refused !== undefined) return unserved(way.refused, way.changed);
  if (slot === undefined) return unserved("emulate", way.changed + putMmio(state, tree, frame, access.frame));
  return putLeaf(state, access, slot, tree, frame, way);
}

function putLeaf(
  state: State,
  access: Access,
  slot: Slot,
  tree: Paging,
  frame: number,
  { level, changed }: Way,
): Answer {
  const old = tree.entryAt(level, frame);
  const spurious = { result: "spurious", level, sptesChanged: changed } as const;
  if (old.kind === "leaf" && (access.isAhead || allows(old.leaf, access.bits))) return spurious;
  const leaf = newLeaf(state, slot, access, level);
  // KVM would stop the host (handle_changed_spte()).
  if (old.kind === "leaf" && old.leaf.pfn !== leaf.pfn) return unserved("error", changed);
  const isSame = old.kind === "leaf" && renderLeaf(old.leaf) === renderLeaf(leaf);
  const refused = isSame ? undefined : ask(state, access);
  if (refused !== undefined) return unserved(refused, changed);
  const result = isSame ? "spurious" : install(state, access, slot, tree, old, leaf);
  const sptesChanged = isSame ? changed : changed + 1;
  if (isWriteProtected(state, slot, access)) return unserved("writeProtected", sptesChanged);
  return { result, level, sptesChanged };
}

function install(state: State, access: Access, slot: Slot, tree: Paging, old: Entry, leaf: Leaf) {
  tree.put(leaf);
  logWrite(state, slot, access, leaf);
  if (old.kind === "table") {
    take(state, floorTo(state.shape.tableFrame(access.issued), leaf.level), leaf.level);
    flushEntry(state, access.frame, leaf.level);
  }
  return old.kind === "blocked" && old.pfn === leaf.pfn ? "unzapped" : "fixed";
}

function putMmio(state: State, tree: Paging, frame: number, gfn: number): number {
  const generation = mmioGeneration(state);
  const old = tree.entryAt(1, frame);
  if (old.kind === "mmio" && old.generation === generation) return 0;
  tree.putMmio(frame, generation, gfn);
  return 1;
}

/** Links tables down to the level that is wished for, splitting a huge leaf that is in the way. */
function makeWay(state: State, access: Access, tree: Paging, frame: number, wish: Wish): Way {
  const { nxHugePages } = state.config.host;
  let changed = 0;
  let goal = wish.level;
  for (let level = tree.rootLevel; ; level--) {
    const entry = tree.entryAt(level, frame);
    const isKept = nxHugePages && entry.kind === "table" && tree.isNxTable(level, frame);
    if (level === goal && level > 1 && isKept) goal -= 1;
    if (level === goal) return { level, changed };
    if (entry.kind === "table") continue;
    const refused = ask(state, access);
    if (refused !== undefined) return { level, changed, refused };
    if (entry.kind === "leaf") tree.split(entry.leaf, nxHugePages, wish);
    else tree.link(level, frame, wish);
    changed += 1;
  }
}

/** Whether the owner of the real private tables installs an entry too. */
function ask({ config, asked }: State, { root }: Access): "retry" | "error" | undefined {
  const [answer = "", each] = config.externalTables.split(":");
  if (root !== "private" || answer === "ok") return undefined;
  asked.external += 1;
  if (asked.external % Number(each) !== 0) return undefined;
  return answer === "busy" ? "retry" : "error";
}
