/** Flavour tdp: a tree a root, and no reverse map. KVM: the TDP MMU (v6.16). */

import type { Walk } from "./entries.js";
import type { Range } from "./frames.js";
import type { Mappings, Reached, Spot, Table, TablePage } from "./mappings.js";
import type { Slot } from "./memslots.js";
import { Paging } from "./paging.js";
import type { RootName, Shape, View } from "./shape.js";
import type { Leaf } from "./spte.js";

export class TdpMappings implements Mappings {
  private readonly trees: Readonly<Record<RootName, Paging>>;

  constructor(
    private readonly shape: Shape,
    rootLevel: number,
  ) {
    this.trees = { direct: new Paging(rootLevel), private: new Paging(rootLevel) };
  }

  tree(root: RootName): Paging {
    return this.trees[root];
  }

  loadRoot(root: RootName): void {
    this.tree(root).loadRoot();
  }

  hasRoot(root: RootName): boolean {
    return this.tree(root).hasRoot;
  }

  walk(root: RootName, issued: number): Walk {
    return this.tree(root).walk(issued);
  }

  linked(root: RootName, level: number, issued: number): Table | undefined {
    return this.tree(root).linked(level, issued);
  }

  spotsIn(range: Range): Spot[] {
    return this.shape.views(range).flatMap((view) => this.spotsInView(view));
  }

  spotsOf({ base, pages }: Slot): Spot[] {
    return this.spotsIn({ start: base, end: base + pages });
  }

  leaves(): Leaf[] {
    return this.shape.roots().flatMap((root) => [...this.tree(root).leaves.values()]);
  }

  reached(root: RootName): Reached[] {
    const { leaves, mmio } = this.tree(root);
    return [
      ...[...leaves.values()].map(
        (leaf): Reached => ({ root, frame: leaf.gfn, entry: { kind: "leaf", leaf } }),
      ),
      ...[...mmio].map(([frame, entry]): Reached => ({ root, frame, entry })),
    ];
  }

  dropDirect(): { entries: number; pages: number } {
    const pages = this.trees.direct.tables.size;
    return { entries: this.trees.direct.dropEverything(), pages };
  }

  tables(): TablePage[] {
    return this.shape.roots().flatMap((root) => {
      const tree = this.tree(root);
      return tree
        .tablePages()
        .map(({ level }) => ({ root, level, parents: level === tree.rootLevel ? 0 : 1 }));
    });
  }

  reverseCount(): number {
    return 0;
  }

  private spotsInView({ root, range }: View): Spot[] {
    const tree = this.tree(root);
    const leaves = tree.leavesIn(range.start, range.end).map(
      (leaf): Spot => ({
        ...{ root, level: leaf.level, frame: leaf.gfn, leaf },
        clear: () => tree.empty(leaf.level, leaf.gfn),
        block: () => tree.block(leaf),
      }),
    );
    const blocked = tree.blockedIn(range).map((frame): Spot => {
      const clear = () => tree.empty(1, frame);
      return { root, level: 1, frame, leaf: undefined, clear, block: () => {} };
    });
    return [...leaves, ...blocked];
  }
}
