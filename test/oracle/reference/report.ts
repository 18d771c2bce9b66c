/** What can be seen of a VM, as hardware, KVM's statistics and its debugfs would show it. */

import type { Walk } from "./entries.js";
import { asKernelHasIt } from "./formats.js";
import { PAGE_BYTES, span } from "./frames.js";
import type { Reached } from "./mappings.js";
import { waitingFor } from "./nx-recovery.js";
import { asOldKernelCounts } from "./old-statistics.js";
import { renderBlocked, renderLeaf, renderMmio } from "./spte.js";
import type { State } from "./state.js";

export interface RenderedLeaf {
  /** As issued. */
  readonly gpa: number;
  readonly level: number;
  readonly spte: bigint;
}

export interface LeafCount {
  /** Bytes from an address to this alias of it. */
  readonly offset: number;
  /** By level, index 0 unused. */
  readonly counts: readonly number[];
}

export interface RenderedWalk {
  /** Of the tables read, root first. */
  readonly levels: readonly number[];
  readonly isLeaf: boolean;
  /** The word that ends it; undefined if that entry is empty. */
  readonly spte: bigint | undefined;
}

/** Ends of hardware's walks, in order of address; one entry may end several. */
function reached({ shape, mappings }: State): Reached[] {
  return shape
    .roots()
    .flatMap((root) => mappings.reached(root))
    .sort((a, b) => a.frame - b.frame);
}

const levelOf = ({ entry }: Reached): number => (entry.kind === "leaf" ? entry.leaf.level : 1);

export function leavesOf(state: State, options: { readonly mmio: boolean }): RenderedLeaf[] {
  return reached(state)
    .filter(({ entry }) => options.mmio || entry.kind === "leaf")
    .map((each) => ({
      gpa: each.frame * PAGE_BYTES,
      level: levelOf(each),
      spte: render(state, each.entry) ?? 0n,
    }));
}

/** Undefined without a root. */
export function walkOf(state: State, gpa: number): RenderedWalk | undefined {
  const { shape, mappings, config } = state;
  const issued = shape.issuedFrame(gpa);
  const root = shape.rootOf(issued);
  if (!mappings.hasRoot(root)) return undefined;
  const { entry, tablesRead } = mappings.walk(root, issued);
  const levels = Array.from({ length: tablesRead }, (_, i) => config.rootLevel - i);
  return { levels, isLeaf: entry.kind === "leaf", spte: render(state, entry) };
}

function render(state: State, entry: Walk["entry"]): bigint | undefined {
  const { kernel } = state.config;
  if (entry.kind === "leaf") return asKernelHasIt(kernel, renderLeaf(entry.leaf));
  if (entry.kind === "mmio")
    return renderMmio(entry.gfn, entry.generation, state.memslots.limits.rules.mmioGenerationBits);
  return entry.kind === "blocked" ? asKernelHasIt(kernel, renderBlocked(entry.pfn)) : undefined;
}

/** Leaves that hardware reaches through each alias, by level; index 0 unused. */
export function leafCountsOf(state: State): LeafCount[] {
  const { aliases } = state.shape;
  const leaves = reached(state).filter(({ entry }) => entry.kind === "leaf");
  return aliases.all().map((alias) => {
    const own = leaves.filter(({ frame }) => aliases.aliasOf(frame) === alias);
    const counts = [0, 1, 2, 3].map((level) => own.filter((leaf) => levelOf(leaf) === level).length);
    return { offset: aliases.offset(alias) * PAGE_BYTES, counts };
  });
}

/** Leaves through which hardware reaches a page, under any alias. */
export function leavesAt(state: State, gpa: number): RenderedLeaf[] {
  const { shape, mappings } = state;
  const canonical = shape.aliases.canonical(shape.issuedFrame(gpa));
  return shape.aliases.all().flatMap((alias) => {
    const issued = shape.issue(canonical, alias);
    const { entry } = mappings.walk(shape.rootOf(issued), issued);
    if (entry.kind !== "leaf") return [];
    const { level } = entry.leaf;
    const first = issued - (issued % span(level));
    return [{ gpa: first * PAGE_BYTES, level, spte: render(state, entry) ?? 0n }];
  });
}

export function statsOf(state: State): Record<string, number> {
  const byLevel = [0, 0, 0, 0];
  for (const { level } of state.mappings.leaves()) byLevel[level] = (byLevel[level] ?? 0) + 1;
  const [, pages_4k = 0, pages_2m = 0, pages_1g = 0] = byLevel;
  const nx_lpage_splits = waitingFor(state);
  const sizes = { pages_4k, pages_2m, pages_1g };
  const stats = { ...state.counters, ...sizes, nx_lpage_splits, ...ofShadowPages(state) };
  return state.config.kernel === "5.10" ? asOldKernelCounts(stats) : stats;
}

function ofShadowPages({ rmap, zappedPages }: State): Record<string, number> {
  return {
    mmu_cache_miss: rmap?.shadow.cacheMisses ?? 0,
    mmu_shadow_zapped: zappedPages,
    max_mmu_rmap_size: rmap?.reverse.longest ?? 0,
  };
}

export function tablesOf({ mappings, config, shape }: State): { roots: number; byLevel: number[] } {
  const byLevel = [0, 0, 0, 0, 0, 0];
  for (const { level } of mappings.tables()) byLevel[level] = (byLevel[level] ?? 0) + 1;
  const roots = shape.roots().filter((root) => mappings.hasRoot(root)).length;
  if (roots !== byLevel[config.rootLevel]) throw new Error("a root is no table");
  return { roots, byLevel };
}
