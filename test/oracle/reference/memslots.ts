/**
 * Memslots of two address spaces: what they hold, which requests are refused
 * and how, and the generation of each set. KVM: kvm_set_memory_region()
 * (v6.16). Nothing here touches a mapping.
 */
import { frameOf, overlaps, PAGE_BYTES } from "./frames.js";
import { LOG_DIRTY, READONLY, Refusal, type Region } from "./types.js";

export const ADDRESS_SPACES = 2;
export const USER_SLOTS = 32764;
const MAX_SLOT_PAGES = 2 ** 31 - 1;
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
  readonly owner: "user" | "twin" | "kvm";
  /** Pages of the slot, counted from its start; absent without a log. */
  readonly dirty: Set<number> | undefined;
}

export type Change =
  | { readonly kind: "nothing" }
  | { readonly kind: "create"; readonly slot: Slot }
  | { readonly kind: "delete"; readonly old: Slot }
  | { readonly kind: "move" | "flags"; readonly old: Slot; readonly slot: Slot };

interface Check {
  readonly code: string;
  readonly fails: (region: Region, sets: Memslots) => boolean;
}

/** Rows that look at the request alone, or at whether the slot exists, in KVM's order. All are EINVAL. */
const CHECKS: readonly Check[] = [
  { code: "ERR_MEMSLOT_ID", fails: ({ slot }) => slot % 65536 >= USER_SLOTS },
  { code: "ERR_MEMSLOT_FLAGS", fails: ({ flags }) => flags > LOG_DIRTY + READONLY },
  { code: "ERR_MEMSLOT_SIZE", fails: ({ bytes }) => bytes % PAGE_BYTES !== 0 },
  { code: "ERR_MEMSLOT_GPA", fails: ({ gpa }) => gpa % PAGE_BYTES !== 0 },
  {
    code: "ERR_MEMSLOT_HVA",
    fails: ({ hva, bytes }, sets) => hva % PAGE_BYTES !== 0 || hva + bytes > sets.userEnd,
  },
  { code: "ERR_MEMSLOT_ADDRESS_SPACE", fails: ({ slot }) => Math.floor(slot / 65536) >= ADDRESS_SPACES },
  {
    code: "ERR_MEMSLOT_WRAPS",
    fails: ({ gpa, bytes }) => BigInt(gpa) + BigInt(bytes) >= 2n ** 64n,
  },
  { code: "ERR_MEMSLOT_TOO_LARGE", fails: ({ bytes }) => frameOf(bytes) > MAX_SLOT_PAGES },
  { code: "ERR_MEMSLOT_MISSING", fails: ({ slot, bytes }, sets) => bytes === 0 && !sets.slots.has(slot) },
];

export class Memslots {
  readonly slots = new Map<number, Slot>();
  /** Set i starts at i and steps by the number of sets, so none ever equals another's. */
  readonly generations = [0, 1];

  /** userEnd: first byte past what the modelled host lets a process map. */
  constructor(readonly userEnd: number) {}

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
    const failed = CHECKS.find((check) => check.fails(region, this));
    if (failed !== undefined) throw new Refusal(failed.code, "EINVAL");
    const old = this.slots.get(region.slot);
    if (region.bytes === 0 && old !== undefined) return { kind: "delete", old };
    const slot = slotFrom(region, old);
    if (old === undefined) {
      this.refuseOverlap(slot);
      return { kind: "create", slot };
    }
    if (old.hva !== slot.hva || old.pages !== slot.pages || old.readonly !== slot.readonly)
      throw new Refusal("ERR_MEMSLOT_IMMUTABLE", "EINVAL");
    if (old.base !== slot.base) {
      this.refuseOverlap(slot);
      return { kind: "move", old, slot };
    }
    return old.logged === slot.logged ? { kind: "nothing" } : { kind: "flags", old, slot };
  }

  /** One step. True if the part of the generation that MMIO entries hold has wrapped. */
  advance(asId: number): boolean {
    const next = (this.generations[asId] ?? 0) + ADDRESS_SPACES;
    this.generations[asId] = next;
    return (next - (next % ADDRESS_SPACES)) % 2 ** 19 === 0;
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

/** The slot after a change: logging that goes on keeps its bits, and `backing` stays what it was at first. */
export function slotFrom(region: Region, old: Slot | undefined): Slot {
  const logged = region.flags % 2 === LOG_DIRTY;
  return {
    slot: region.slot,
    asId: Math.floor(region.slot / 65536),
    base: frameOf(region.gpa),
    pages: frameOf(region.bytes),
    hva: region.hva,
    backing: old?.backing ?? region.backing,
    readonly: region.flags >= READONLY,
    logged,
    owner: "user",
    dirty: logged ? (old?.dirty ?? new Set()) : undefined,
  };
}
