/**
 * Flavour rmap: shadow pages, and the reverse maps that range operations go
 * by. KVM: the shadow MMU (v6.16), for direct pages only.
 */

import type { Walk } from "./entries.js";
import { floorTo, meets, type Range, rangeAt, span } from "./frames.js";
import type { Mappings, Reached, Spot, Table, TablePage } from "./mappings.js";
import type { Memslots, Slot } from "./memslots.js";
import { type Place, ReverseMaps } from "./reverse-maps.js";
import { type ShadowEntry, ShadowPages } from "./shadow-pages.js";
import type { RootName, Shape } from "./shape.js";
import type { Leaf } from "./spte.js";

export class RmapMappings implements Mappings {
  readonly shadow: ShadowPages;
  readonly reverse = new ReverseMaps();

  constructor(
    private readonly shape: Shape,
    private readonly memslots: Memslots,
    rootLevel: number,
  ) {
    this.shadow = new ShadowPages(rootLevel);
  }

  loadRoot(root: RootName): void {
    this.shadow.get(root, this.shadow.rootLevel, 0);
  }

  hasRoot(root: RootName): boolean {
    return this.shadow.root(root) !== undefined;
  }

  walk(root: RootName, issued: number): Walk {
    return this.shadow.walk(root, issued);
  }

  linked(root: RootName, level: number, issued: number): Table | undefined {
    return this.shadow.linked(root, level, issued);
  }

  spotsIn(range: Range): Spot[] {
    return this.memslots
      .ofNormalSpace()
      .flatMap((slot) => this.spotsOf(slot))
      .filter(({ frame, level }) => meets(rangeAt(this.shape.slotFrame(frame), level), range));
  }

  spotsOf({ slot }: Slot): Spot[] {
    return this.reverse.of(slot).map((place) => this.spotAt(place));
  }

  leaves(): Leaf[] {
    const entries = [...this.shadow.pages.values()].flatMap(({ entries }) => [...entries.values()]);
    return entries.flatMap((entry) => (entry.kind === "leaf" ? [entry.leaf] : []));
  }

  reached(root: RootName): Reached[] {
    return this.shadow.reached(root);
  }

  dropDirect(): { entries: number; pages: number } {
    const gone = this.shadow.drop("direct");
    let entries = 0;
    for (const page of gone)
      for (const [index, { kind }] of page.entries) {
        if (kind === "leaf" || kind === "mmio") entries += 1;
        if (kind === "leaf") this.unlist({ page, index });
      }
    return { entries, pages: gone.length };
  }

  tables(): TablePage[] {
    return [...this.shadow.pages.values()].map(({ root, level, parents }) => ({
      root,
      level,
      parents: parents.length,
    }));
  }

  reverseCount(frame: number): number {
    const slot = this.memslots.find(frame);
    return slot === undefined ? 0 : this.reverse.count(slot.slot, frame);
  }

  /** First frame under the entry, in the form that names its page. */
  frameAt({ page, index }: Place): number {
    return page.frame + this.shape.tableFrame(index * span(page.level));
  }

  slotFrameAt(place: Place): number {
    return this.shape.slotFrame(this.frameAt(place));
  }

  spotAt(place: Place): Spot {
    const { page, index } = place;
    const entry = page.entries.get(index);
    const { root, level } = page;
    return {
      ...{ root, level, frame: this.frameAt(place) },
      leaf: entry?.kind === "leaf" ? entry.leaf : undefined,
      clear: () => this.clear(place),
      block: () => this.block(place),
    };
  }

  /** Writes a leaf; a place that had none is listed. */
  put(slot: Slot, place: Place, leaf: Leaf, isNew: boolean): void {
    if (isNew) this.reverse.add(slot.slot, this.slotFrameAt(place), place);
    place.page.entries.set(place.index, { kind: "leaf", leaf });
  }

  clear(place: Place): void {
    this.unlist(place);
    place.page.entries.delete(place.index);
  }

  entryAt({ page, index }: Place): ShadowEntry {
    return page.entries.get(index) ?? { kind: "empty" };
  }

  private block(place: Place): void {
    const entry = this.entryAt(place);
    if (entry.kind !== "leaf") throw new Error("only a leaf can be blocked");
    place.page.entries.set(place.index, { kind: "blocked", pfn: entry.leaf.pfn });
  }

  private unlist(place: Place): void {
    this.reverse.remove(floorTo(this.slotFrameAt(place), place.page.level), place);
  }
}
