/**
 * Flavour rmap: shadow pages, found by what they stand for and linked as often
 * as one likes. A page that nothing links to any more still exists, with its
 * leaves. KVM: kvm_mmu_get_shadow_page(), link_shadow_page() (v6.16).
 */

import type { Entry, Walk } from "./entries.js";
import { floorTo, span } from "./frames.js";
import type { Reached } from "./mappings.js";
import type { RootName } from "./shape.js";

export type ShadowEntry =
  | Exclude<Entry, { kind: "table" }>
  | { readonly kind: "table"; readonly page: ShadowPage };

export interface ShadowPage {
  readonly root: RootName;
  readonly level: number;
  /** First frame under it, in the form that names shadow pages. */
  readonly frame: number;
  readonly entries: Map<number, ShadowEntry>;
  /** Pages with an entry that links here, once an entry. */
  parents: ShadowPage[];
  /** An instruction fetch made do with it where a huge page could be. */
  isNx: boolean;
}

export const indexOf = (frame: number, level: number): number => Math.floor(frame / span(level)) % 512;

export class ShadowPages {
  readonly pages = new Map<string, ShadowPage>();
  /** Pages that could give way to a huge leaf again, oldest first. */
  recoverable: ShadowPage[] = [];
  cacheMisses = 0;

  constructor(readonly rootLevel: number) {}

  root(root: RootName): ShadowPage | undefined {
    return this.pages.get(this.keyOf(root, this.rootLevel, 0));
  }

  /** The page that stands for these frames, made if there is none. */
  get(root: RootName, level: number, frame: number): ShadowPage {
    const key = this.keyOf(root, level, frame);
    const found = this.pages.get(key);
    if (found !== undefined) return found;
    const page = {
      root,
      level,
      frame: this.baseOf(level, frame),
      entries: new Map(),
      parents: [],
      isNx: false,
    };
    this.pages.set(key, page);
    this.cacheMisses += 1;
    return page;
  }

  link(parent: ShadowPage, index: number, page: ShadowPage): void {
    parent.entries.set(index, { kind: "table", page });
    page.parents.push(parent);
  }

  unlink(parent: ShadowPage, index: number, page: ShadowPage): void {
    parent.entries.delete(index);
    page.parents.splice(page.parents.indexOf(parent), 1);
  }

  walk(root: RootName, issued: number): Walk {
    let page = this.root(root);
    for (let level = this.rootLevel; ; level--) {
      const entry = page?.entries.get(indexOf(issued, level)) ?? { kind: "empty" };
      if (entry.kind !== "table") return { entry, level, tablesRead: this.rootLevel - level + 1 };
      page = entry.page;
    }
  }

  /** The page that the link at `level` leads to, as far as a walk gets there. */
  linked(root: RootName, level: number, issued: number): ShadowPage | undefined {
    let page = this.root(root);
    while (page !== undefined && page.level >= level) {
      const entry = page.entries.get(indexOf(issued, page.level));
      page = entry?.kind === "table" ? entry.page : undefined;
    }
    return page;
  }

  /** The table in which hardware's walk of a frame ends. */
  end(root: RootName, issued: number): ShadowPage | undefined {
    let page = this.root(root);
    for (;;) {
      const entry = page?.entries.get(indexOf(issued, page.level));
      if (entry?.kind !== "table") return page;
      page = entry.page;
    }
  }

  /** The last table on the way to a frame, if it is one of level 1. */
  lastTable(root: RootName, issued: number): ShadowPage | undefined {
    let page = this.root(root);
    while (page !== undefined && page.level > 1) {
      const entry = page.entries.get(indexOf(issued, page.level));
      page = entry?.kind === "table" ? entry.page : undefined;
    }
    return page;
  }

  /** What hardware finds at the ends of all its walks. */
  reached(root: RootName): Reached[] {
    const page = this.root(root);
    return page === undefined ? [] : reachedBelow(page, 0);
  }

  /** Takes every page of the root away, linked or not. */
  drop(root: RootName): ShadowPage[] {
    const gone = [...this.pages].filter(([, page]) => page.root === root);
    for (const [, page] of gone) this.forget(page);
    return gone.map(([, page]) => page);
  }

  /** Takes one page away; what is in it is the caller's. */
  forget(page: ShadowPage): void {
    this.pages.delete(this.keyOf(page.root, page.level, page.frame));
    this.recoverable = this.recoverable.filter((each) => each !== page);
  }

  markNx(page: ShadowPage, isRecoverable: boolean): void {
    page.isNx = true;
    if (isRecoverable && !this.recoverable.includes(page)) this.recoverable.push(page);
  }

  unmarkNx(page: ShadowPage): void {
    page.isNx = false;
    this.recoverable = this.recoverable.filter((each) => each !== page);
  }

  private keyOf(root: RootName, level: number, frame: number): string {
    return `${root}:${level}:${this.baseOf(level, frame)}`;
  }

  private baseOf(level: number, frame: number): number {
    return level === this.rootLevel ? 0 : floorTo(frame, level + 1);
  }
}

function reachedBelow(page: ShadowPage, base: number): Reached[] {
  const { root } = page;
  return [...page.entries].flatMap(([index, entry]): Reached[] => {
    const frame = base + index * span(page.level);
    if (entry.kind === "table") return reachedBelow(entry.page, frame);
    return entry.kind === "leaf" || entry.kind === "mmio" ? [{ root, frame, entry }] : [];
  });
}
