/**
 * The whole MMU a second time: slow, obvious, and without a line in common
 * with the engine. Flavour tdp. It is written from how KVM v6.16 behaves, so
 * where the two differ, one of them is wrong about KVM.
 */
import { startLogging, stopLogging, type TakenLog, takeLog } from "./reference/dirty-log.js";
import { access } from "./reference/fault.js";
import { frameOf, overlaps, PAGE_BYTES } from "./reference/frames.js";
import type { Change, Slot } from "./reference/memslots.js";
import { renderLeaf, renderMmio } from "./reference/spte.js";
import { newState, type State } from "./reference/state.js";
import {
  done,
  LOG_DIRTY,
  READONLY,
  type ReferenceConfig,
  type ReferenceEvent,
  type ReferenceOutcome,
  Refusal,
  type Region,
} from "./reference/types.js";

export interface RenderedLeaf {
  readonly gpa: number;
  readonly level: number;
  readonly spte: bigint;
}

export class ReferenceMmu {
  readonly state: State;

  constructor(config: ReferenceConfig) {
    this.state = newState(config);
  }

  apply(event: ReferenceEvent): ReferenceOutcome {
    switch (event.kind) {
      case "access":
        return access(this.state, event.gpa, event.access);
      case "zap":
        return done(this.zap(event.gpa, event.bytes));
      case "zap-all-fast":
        return done(this.state.paging.dropEverything());
      case "end":
        return done(0);
      default:
        return done(this.onSlots(event));
    }
  }

  /** KVM_SET_USER_MEMORY_REGION. Throws a `Refusal`. */
  setMemslot(region: Region): ReferenceOutcome {
    return done(this.commit(this.state.memslots.plan(region)));
  }

  /** KVM_GET_DIRTY_LOG: the bitmap is emptied. Throws a `Refusal`. */
  takeDirtyLog(slotArgument: number): TakenLog {
    const slot = this.state.memslots.slots.get(slotArgument);
    if (slot?.dirty === undefined) throw new Refusal("ERR_NO_DIRTY_LOG", "ENOENT");
    return takeLog(this.state.paging, slot);
  }

  slot(slotArgument: number): Slot | undefined {
    return this.state.memslots.slots.get(slotArgument);
  }

  slots(): Slot[] {
    return [...this.state.memslots.slots.values()].sort((a, b) => a.slot - b.slot);
  }

  generation(asId: number): number {
    return this.state.memslots.generations[asId] ?? Number.NaN;
  }

  /** Present leaves in order of address, with MMIO entries if asked for. */
  leaves(options: { readonly mmio: boolean }): RenderedLeaf[] {
    const { leaves, mmio } = this.state.paging;
    const rendered = [...leaves.values()].map((leaf) => ({
      gpa: leaf.gfn * PAGE_BYTES,
      level: leaf.level,
      spte: renderLeaf(leaf),
    }));
    for (const [gfn, generation] of options.mmio ? mmio : [])
      rendered.push({ gpa: gfn * PAGE_BYTES, level: 1, spte: renderMmio(gfn, generation) });
    return rendered.sort((a, b) => a.gpa - b.gpa);
  }

  /** The entries that hardware would read for this address, root first, by level. */
  walkLevels(gpa: number): number[] {
    const { paging, policy } = this.state;
    if (!paging.hasRoot) return [];
    const { level } = paging.walk(policy.hardwareFrame(frameOf(gpa)));
    return Array.from({ length: paging.rootLevel - level + 1 }, (_, i) => paging.rootLevel - i);
  }

  stats(): Record<string, number> {
    const byLevel = [0, 0, 0, 0];
    for (const { level } of this.state.paging.leaves.values()) byLevel[level] = (byLevel[level] ?? 0) + 1;
    const [, pages_4k = 0, pages_2m = 0, pages_1g = 0] = byLevel;
    return { ...this.state.counters, pages_4k, pages_2m, pages_1g };
  }

  tables(): { roots: number; byLevel: number[] } {
    const { paging } = this.state;
    return { roots: paging.hasRoot ? 1 : 0, byLevel: paging.tableCounts() };
  }

  private zap(gpa: number, bytes: number): number {
    const hit = this.state.paging.leavesIn(frameOf(gpa), frameOf(gpa + bytes));
    for (const leaf of hit) this.state.paging.remove(leaf);
    return hit.length;
  }

  /** An event about logging speaks to every slot that meets its range, or to all if it has none. */
  private onSlots({ kind, gpa, bytes }: ReferenceEvent): number {
    const [start, end] = [frameOf(gpa), frameOf(gpa + bytes)];
    const meets = (slot: Slot) => bytes === 0 || overlaps(start, end, slot.base, slot.base + slot.pages);
    let changed = 0;
    for (const slot of this.state.memslots.ofNormalSpace().filter(meets)) {
      if (kind === "dirty-log-get") changed += takeLog(this.state.paging, slot).sptesChanged;
      else if (kind === "dirty-log-disable") changed += this.setLogging(slot, false);
      else if (!slot.readonly) changed += this.setLogging(slot, true);
    }
    return changed;
  }

  private setLogging(slot: Slot, on: boolean): number {
    const flags = (slot.readonly ? READONLY : 0) + (on ? LOG_DIRTY : 0);
    const { slot: slotArgument, hva, backing } = slot;
    const [gpa, bytes] = [slot.base * PAGE_BYTES, slot.pages * PAGE_BYTES];
    return this.setMemslot({ slot: slotArgument, flags, gpa, bytes, hva, backing }).sptesChanged;
  }

  private commit(change: Change): number {
    switch (change.kind) {
      case "nothing":
        return 0;
      case "create":
        this.refuseUnmappable(change.slot);
        return this.replace(undefined, change.slot);
      case "flags":
        return this.changeFlags(change.old, change.slot);
      case "delete":
        return this.invalidate(change.old) + this.replace(change.old, undefined);
      case "move": {
        const dropped = this.invalidate(change.old);
        return dropped + this.replace(change.old, this.orKeep(change));
      }
    }
  }

  private changeFlags(old: Slot, slot: Slot): number {
    const { paging } = this.state;
    const dropped = this.replace(old, slot);
    return dropped + (slot.logged ? startLogging(paging, slot) : stopLogging(paging, slot));
  }

  /** A slot that goes or moves is first marked invalid, a step of its own, and every root is dropped. */
  private invalidate({ asId }: Slot): number {
    return this.advance(asId) + this.state.paging.dropEverything();
  }

  /** The checks of a move that come this late leave the slot where it was, its mappings gone. */
  private orKeep({ old, slot }: { old: Slot; slot: Slot }): Slot {
    try {
      this.refuseUnmappable(slot);
    } catch (refusal) {
      this.replace(old, old);
      throw refusal;
    }
    return slot;
  }

  private replace(old: Slot | undefined, slot: Slot | undefined): number {
    const { slots } = this.state.memslots;
    if (old !== undefined) slots.delete(old.slot);
    if (slot !== undefined) slots.set(slot.slot, slot);
    return this.advance((slot ?? old)?.asId ?? 0);
  }

  /** Old MMIO entries must not look new when the generation wraps: they go, with everything else. */
  private advance(asId: number): number {
    return this.state.memslots.advance(asId) ? this.state.paging.dropEverything() : 0;
  }

  private refuseUnmappable(slot: Slot): void {
    const last = slot.base + slot.pages - 1;
    if (last > this.state.maxGfn) throw new Refusal("ERR_MEMSLOT_BEYOND_MAX", "EINVAL");
    if (this.state.policy.refusesSlotEnd(last)) throw new Refusal("ERR_MEMSLOT_ALIASED", "EINVAL");
  }
}
