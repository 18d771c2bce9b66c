/**
 * The mapping part of a fault, flavour tdp. KVM: kvm_tdp_mmu_map(),
 * tdp_mmu_map_handle_target_level(), and for a mirror root what
 * __tdp_mmu_set_spte_atomic() asks of the TDX module (v6.16).
 */
import type { Access } from "./access.js";
import type { Entry } from "./entries.js";
import { flushEntry, take } from "./flush.js";
import { floorTo } from "./frames.js";
import { goalLevel, logWrite, mmioGeneration, newLeaf } from "./leaves.js";
import type { Slot } from "./memslots.js";
import type { Paging } from "./paging.js";
import { allows } from "./rights.js";
import type { Leaf } from "./spte.js";
import type { State } from "./state.js";
import { type Answer, unserved } from "./types.js";

interface Way {
  readonly changed: number;
  /** Why the way ends too early. */
  readonly refused?: "retry" | "error" | undefined;
}

export function faultOnTree(state: State, access: Access, slot: Slot | undefined): Answer {
  if (state.tdp === undefined) throw new Error("no trees in this flavour");
  const tree = state.tdp.tree(access.root);
  const frame = state.shape.tableFrame(access.issued);
  const level = slot === undefined ? 1 : goalLevel(state, slot, access);
  const way = makeWay(state, access, tree, frame, level);
  if (way.refused !== undefined) return unserved(way.refused, way.changed);
  const old = tree.entryAt(level, frame);
  if (slot === undefined) return unserved("emulate", way.changed + putMmio(state, tree, frame, access.frame));
  if (old.kind === "leaf" && allows(old.leaf, access.bits))
    return { result: "spurious", level, sptesChanged: way.changed };
  const refused = ask(state, access);
  if (refused !== undefined) return unserved(refused, way.changed);
  const result = install(state, access, slot, tree, old, newLeaf(state, slot, access, level));
  return { result, level, sptesChanged: way.changed + 1 };
}

function install(state: State, access: Access, slot: Slot, tree: Paging, old: Entry, leaf: Leaf) {
  if (old.kind === "leaf" && old.leaf.pfn !== leaf.pfn)
    throw new Error("a present leaf was replaced by another page's: KVM would stop the host");
  tree.put(leaf);
  logWrite(state, slot, access, leaf);
  if (old.kind === "table") {
    take(state, floorTo(access.issued, leaf.level), leaf.level);
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

/** Links tables down to `goal`, splitting a huge leaf that is in the way. */
function makeWay(state: State, access: Access, tree: Paging, frame: number, goal: number): Way {
  let changed = 0;
  for (let level = tree.rootLevel; level > goal; level--) {
    const entry = tree.entryAt(level, frame);
    if (entry.kind === "table") continue;
    const refused = ask(state, access);
    if (refused !== undefined) return { changed, refused };
    if (entry.kind === "leaf") tree.split(entry.leaf);
    else tree.link(level, frame);
    changed += 1;
  }
  return { changed };
}

/** Whether the owner of the real private tables installs an entry too. */
function ask({ config, asked }: State, { root }: Access): "retry" | "error" | undefined {
  const [answer = "", each] = config.externalTables.split(":");
  if (root !== "private" || answer === "ok") return undefined;
  asked.external += 1;
  if (asked.external % Number(each) !== 0) return undefined;
  return answer === "busy" ? "retry" : "error";
}
