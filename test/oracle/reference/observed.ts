/** What may be asked of a VM without changing it. */
import type { TablePage } from "./mappings.js";
import type { Slot } from "./memslots.js";
import * as report from "./report.js";
import type { State, Violation } from "./state.js";

export class Observed {
  constructor(readonly state: State) {}

  slot(slotArgument: number): Slot | undefined {
    return this.slots().find(({ slot }) => slot === slotArgument);
  }

  /** Of userspace, in order; what is dirty in a twin is dirty. */
  slots(): Slot[] {
    const { memslots } = this.state;
    return memslots.ofUser().map((slot) => {
      const twins = memslots.twinsOf(slot).flatMap(({ dirty }) => [...(dirty ?? [])]);
      return { ...slot, dirty: slot.dirty && new Set([...slot.dirty, ...twins]) };
    });
  }

  generation(asId: number): number {
    return this.state.memslots.generations[asId] ?? Number.NaN;
  }

  /** What hardware reaches, by address as issued; with MMIO entries if asked for. */
  leaves(options: { readonly mmio: boolean }): report.RenderedLeaf[] {
    return report.leavesOf(this.state, options);
  }

  leavesAt(gpa: number): report.RenderedLeaf[] {
    return report.leavesAt(this.state, gpa);
  }

  walk(gpa: number): report.RenderedWalk | undefined {
    return report.walkOf(this.state, gpa);
  }

  leafCounts(): report.LeafCount[] {
    return report.leafCountsOf(this.state);
  }

  stats(): Record<string, number> {
    return report.statsOf(this.state);
  }

  tables(): { roots: number; byLevel: number[] } {
    return report.tablesOf(this.state);
  }

  tableList(): TablePage[] {
    return this.state.mappings.tables();
  }

  violations(): Violation[] {
    return [...this.state.violations.values()].sort((a, b) => (a.rule < b.rule ? -1 : 1));
  }

  advisories(): Violation[] {
    return [...this.state.advisories.values()];
  }

  isPrivate(gpa: number): boolean {
    const { shape, attributes } = this.state;
    return attributes.isPrivate(shape.aliases.canonical(shape.issuedFrame(gpa)));
  }

  rmapCount(gpa: number): number {
    const { shape, mappings } = this.state;
    return mappings.reverseCount(shape.slotFrame(shape.issuedFrame(gpa)));
  }
}
