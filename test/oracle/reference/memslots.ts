/**
 * Memslots of two address spaces: what they hold, which requests are refused
 * and how, and the generation of each set. KVM: kvm_set_memory_region()
 * (v6.16). Nothing here touches a mapping.
 */
import { frameOf, overlaps } from "./frames.js";
import { GuestMemfds } from "./guest-memfd.js";
import type { KernelRules } from "./kernels.js";
import type { Logging } from "./logging.js";
import { has } from "./rights.js";
import { refuseRequest } from "./slot-checks.js";
import { GUEST_MEMFD, LOG_DIRTY, READONLY, Refusal, type Region } from "./types.js";

export const TWINS = 2 ** 32;
export interface Slot {
  /** Address space id times 2^16 plus the id; of a twin, plus its alias times 2^32. */
  readonly slot: number;
  readonly asId: number;
  readonly base: number;
  readonly pages: number;
  readonly hva: number;
  readonly backing: number;
  readonly readonly: boolean;
  readonly logged: boolean;
  /** Whether a file of guest_memfd is behind its private memory. */
  readonly hasMemfd: boolean;
  readonly owner: "user" | "twin" | "kvm";
  /** Pages of the slot, counted from its start; absent without a log, or where rings stand for it. */
  readonly dirty: Set<number> | undefined;
}

export type Change =
  | { readonly kind: "nothing" }
  | { readonly kind: "create"; readonly slot: Slot }
  | { readonly kind: "delete"; readonly old: Slot }
  | { readonly kind: "move" | "flags"; readonly old: Slot; readonly slot: Slot };

/** What a VM's memslots may be. */
export interface Limits {
  readonly rules: KernelRules;
  /** First byte past what the modelled host lets a process map. */
  readonly userEnd: number;
  readonly addressSpaces: number;
  /** Whether a slot may have guest_memfd. */
  readonly takesMemfd: boolean;
}

export class Memslots {
  readonly slots = new Map<number, Slot>();
  /** Set i starts at i and steps by the number of sets, so none ever equals another's. */
  readonly generations: number[];
  readonly memfds = new GuestMemfds();

  constructor(
    readonly limits: Limits,
    readonly logging: Logging,
  ) {
    this.generations = Array.from({ length: limits.addressSpaces }, (_, asId) => asId);
  }

  find(gfn: number): Slot | undefined {
    return [...this.slots.values()].find(
      ({ asId, base, pages }) => asId === 0 && gfn >= base && gfn < base + pages,
    );
  }

  /** In order of id. Accesses know no other space. */
  ofNormalSpace(): Slot[] {
    return [...this.slots.values()].filter((slot) => slot.asId === 0).sort((a, b) => a.slot - b.slot);
  }

  /** Slots that userspace made, twins apart. */
  ofUser(): Slot[] {
    return [...this.slots.values()].filter(({ owner }) => owner === "user").sort((a, b) => a.slot - b.slot);
  }

  /** The slot's twins, by alias. */
  twinsOf({ slot }: Slot): Slot[] {
    const twins = [...this.slots.values()].filter(
      (each) => each.owner === "twin" && each.slot % TWINS === slot,
    );
    return twins.sort((a, b) => a.slot - b.slot);
  }

  /** What a request asks for; refuses what KVM refuses before it touches anything. */
  plan(region: Region): Change {
    refuseRequest(region, this);
    const old = this.slots.get(region.slot);
    if (region.bytes === 0 && old !== undefined) return { kind: "delete", old };
    const slot = this.slotFrom(region, old);
    if (old === undefined) {
      this.refuseOverlap(slot);
      return { kind: "create", slot };
    }
    const isSame = old.hva === slot.hva && old.pages === slot.pages && old.readonly === slot.readonly;
    // Whether it has guest_memfd never changes, and one that has it can only go.
    if (!isSame || old.hasMemfd || slot.hasMemfd) throw new Refusal("ERR_MEMSLOT_IMMUTABLE", "EINVAL");
    if (old.base !== slot.base) {
      this.refuseOverlap(slot);
      return { kind: "move", old, slot };
    }
    return old.logged === slot.logged ? { kind: "nothing" } : { kind: "flags", old, slot };
  }

  /** One step. True if the part of the generation that MMIO entries hold has wrapped. */
  advance(asId: number): boolean {
    const { addressSpaces, rules } = this.limits;
    const next = (this.generations[asId] ?? 0) + addressSpaces;
    this.generations[asId] = next;
    return (next - (next % addressSpaces)) % 2 ** rules.mmioGenerationBits === 0;
  }

  /** The slot after a change: a bitmap stays with its bits as long as logging goes on, and `backing` is what it was at first. */
  slotFrom({ slot, flags, gpa, bytes, hva, backing }: Region, old: Slot | undefined): Slot {
    const [base, pages, logged] = [frameOf(gpa), frameOf(bytes), has(flags, LOG_DIRTY)];
    return {
      ...{ slot, base, pages, hva, logged },
      asId: Math.floor(slot / 65536),
      backing: old?.backing ?? backing,
      readonly: has(flags, READONLY),
      hasMemfd: has(flags, GUEST_MEMFD),
      owner: "user",
      dirty: logged ? (old?.dirty ?? this.logging.newBitmap(pages)) : undefined,
    };
  }

  private refuseOverlap({ slot, asId, base, pages }: Slot): void {
    const taken = [...this.slots.values()].some(
      (other) =>
        other.slot !== slot &&
        other.asId === asId &&
        overlaps(base, base + pages, other.base, other.base + other.pages),
    );
    if (taken) throw new Refusal("ERR_MEMSLOT_OVERLAP", "EEXIST");
  }
}
