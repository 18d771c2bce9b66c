/**
 * The whole MMU a second time: slow, obvious, and without a line in common
 * with the engine. Both flavours, every strategy. It is written from how KVM
 * v6.16 and the posted series behave, so where the two differ, one of them is
 * wrong about KVM.
 */
import { tryAccess } from "./reference/access.js";
import type { TakenLog } from "./reference/dirty-log.js";
import { operate, refuseEvent, takeLogs } from "./reference/events.js";
import type { TablePage } from "./reference/mappings.js";
import type { Slot } from "./reference/memslots.js";
import * as report from "./reference/report.js";
import { setMemslot } from "./reference/slot-changes.js";
import { newState, type State, type Violation } from "./reference/state.js";
import {
  INSERTED,
  type ReferenceConfig,
  type ReferenceEvent,
  type ReferenceOutcome,
  Refusal,
  type Region,
} from "./reference/types.js";
import { convert } from "./reference/zap.js";

/** A conversion that a projection put into the stream has no number of its own. */
const isInserted = ({ kind, access }: ReferenceEvent): boolean => kind === "attributes" && access >= INSERTED;

export class ReferenceMmu {
  readonly state: State;

  constructor(config: ReferenceConfig) {
    this.state = newState(config);
  }

  /** Throws a `Refusal` for an event that this VM has no use for. */
  apply(event: ReferenceEvent): ReferenceOutcome {
    refuseEvent(this.state, event);
    this.begin(event.kind === "access");
    const outcome = event.kind === "access" ? this.access(event) : this.done(operate(this.state, event));
    if (!isInserted(event)) this.state.now.number += 1;
    return outcome;
  }

  /** KVM_SET_USER_MEMORY_REGION. Throws a `Refusal`. */
  setMemslot(region: Region): ReferenceOutcome {
    this.begin(false);
    return this.done(setMemslot(this.state, region));
  }

  /** KVM_GET_DIRTY_LOG: the bitmap is emptied, a twin's with it. Throws a `Refusal`. */
  takeDirtyLog(slotArgument: number): TakenLog {
    const slot = this.state.memslots.slots.get(slotArgument);
    if (slot?.dirty === undefined || slot.owner !== "user") throw new Refusal("ERR_NO_DIRTY_LOG", "ENOENT");
    this.begin(false);
    return takeLogs(this.state, slot);
  }

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

  isPrivate(gpa: number): boolean {
    const { shape, attributes } = this.state;
    return attributes.isPrivate(shape.aliases.canonical(shape.issuedFrame(gpa)));
  }

  rmapCount(gpa: number): number {
    const { shape, mappings } = this.state;
    return mappings.reverseCount(shape.slotFrame(shape.issuedFrame(gpa)));
  }

  private begin(isAccess: boolean): void {
    const { now } = this.state;
    Object.assign(now, { isAccess, scope: "none", pages: 0 });
    now.taken.clear();
  }

  private done(sptesChanged: number): ReferenceOutcome {
    return { result: "done", level: 0, tablesRead: 0, sptesChanged, ...this.flushed() };
  }

  private flushed(): Pick<ReferenceOutcome, "flush" | "flushedPages"> {
    const { scope, pages } = this.state.now;
    // The column has 32 bits.
    return { flush: scope, flushedPages: Math.min(pages, 2 ** 32 - 1) };
  }

  private access(event: ReferenceEvent): ReferenceOutcome {
    const first = tryAccess(this.state, event);
    if (first.result !== "memoryFault" || !this.state.config.convertOnExit)
      return { ...first, ...this.flushed() };
    const { sptesChanged, ...second } = this.convertAndRetry(event);
    const total = first.sptesChanged + sptesChanged;
    return { ...second, tablesRead: first.tablesRead, sptesChanged: total, ...this.flushed() };
  }

  /** What a VMM does on KVM_EXIT_MEMORY_FAULT: it gives the guest what it asked for. */
  private convertAndRetry(event: ReferenceEvent) {
    const { shape } = this.state;
    const issued = shape.issuedFrame(event.gpa);
    const start = shape.aliases.canonical(issued);
    this.state.conversions += 1;
    const converted = convert(this.state, { start, end: start + 1 }, shape.isPrivate(issued));
    const second = tryAccess(this.state, event);
    return { ...second, sptesChanged: converted + second.sptesChanged };
  }
}
