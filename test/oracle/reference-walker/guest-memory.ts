/**
 * Guest memory as a process keeps it: one arena of bytes, pages of which may
 * be closed to the process itself, and slots that show parts of it to the
 * guest, the same part twice if so asked. Each slot that logs knows its dirty pages.
 */
import { PAGE_SHIFT } from "./bits.js";
import type { Exchange, TableMemory } from "./table-memory.js";

export interface Slot {
  readonly id: number;
  readonly gpa: bigint;
  readonly bytes: bigint;
  /** Where in the arena it begins. */
  readonly offset: bigint;
  readonly isReadOnly?: boolean;
  readonly logsDirty?: boolean;
  /** KVM's own slot, or one that is being taken away: no walk sees it. */
  readonly isHidden?: boolean;
}

export type Protection = "rw" | "ro" | "none";

const WORD = 8n;

export class GuestMemory implements TableMemory {
  readonly slots = new Map<number, Slot>();
  /** Eight bytes each, by arena offset; what was never written is 0. */
  readonly words = new Map<bigint, bigint>();
  /** By arena page. */
  readonly protections = new Map<bigint, Protection>();
  /** Every mark in order, doubles kept: a ring would hold just these. */
  readonly dirtied: { readonly slot: number; readonly page: number }[] = [];

  slotAt(gpa: bigint): Slot | undefined {
    for (const slot of this.slots.values()) if (gpa >= slot.gpa && gpa < slot.gpa + slot.bytes) return slot;
    return undefined;
  }

  /** The host's own store, whatever slot or page protection says. */
  store(gpa: bigint, value: bigint, bytes: 4 | 8 = 8): void {
    const slot = this.slotAt(gpa);
    if (slot === undefined) throw new Error(`no slot holds 0x${gpa.toString(16)}`);
    this.#put(slot.offset + gpa - slot.gpa, bytes, value);
  }

  /** As the host sees it; for tests to look at. */
  load(gpa: bigint, bytes: 4 | 8 = 8): bigint {
    const slot = this.slotAt(gpa);
    return slot === undefined ? 0n : this.#get(slot.offset + gpa - slot.gpa, bytes);
  }

  read(gpa: bigint, bytes: 4 | 8): bigint | undefined {
    const slot = this.slotAt(gpa);
    if (slot === undefined || slot.isHidden) return undefined;
    const at = slot.offset + gpa - slot.gpa;
    return this.#protectionAt(at) === "none" ? undefined : this.#get(at, bytes);
  }

  exchange(gpa: bigint, bytes: 4 | 8, old: bigint, next: bigint): Exchange {
    const slot = this.slotAt(gpa);
    if (slot === undefined) return "no-access";
    if (slot.isReadOnly) return "read-only-slot";
    const at = slot.offset + gpa - slot.gpa;
    if (this.#protectionAt(at) !== "rw") return "no-access";
    if (this.#get(at, bytes) !== old) return "changed-meanwhile";
    this.#put(at, bytes, next);
    return "done";
  }

  markDirty(gfn: bigint): void {
    const slot = this.slotAt(gfn << PAGE_SHIFT);
    if (slot?.logsDirty) this.dirtied.push({ slot: slot.id, page: Number(gfn - (slot.gpa >> PAGE_SHIFT)) });
  }

  #protectionAt(offset: bigint): Protection {
    return this.protections.get(offset >> PAGE_SHIFT) ?? "rw";
  }

  #get(offset: bigint, bytes: 4 | 8): bigint {
    const word = this.words.get(offset - (offset % WORD)) ?? 0n;
    return bytes === 8 ? word : (word >> ((offset % WORD) * 8n)) & 0xffff_ffffn;
  }

  #put(offset: bigint, bytes: 4 | 8, value: bigint): void {
    const start = offset - (offset % WORD);
    const shift = (offset % WORD) * 8n;
    const mask = (bytes === 8 ? (1n << 64n) - 1n : 0xffff_ffffn) << shift;
    this.words.set(start, ((this.words.get(start) ?? 0n) & ~mask) | ((value << shift) & mask));
  }
}
