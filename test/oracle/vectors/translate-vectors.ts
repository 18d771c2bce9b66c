/**
 * Recorded VMs with tables of their own, played against the reference walker.
 * Rules of the recorded kernel alone are here, none of them in the walker: no
 * tables but those of long mode, no 1 GiB pages, CR4 bits whatever CPUID says.
 */
import { READ } from "../reference-walker/access.js";
import { bit, bits, has } from "../reference-walker/bits.js";
import { type Features, NO_CPUID } from "../reference-walker/features.js";
import { GuestMemory } from "../reference-walker/guest-memory.js";
import { AT_RESET, CR0_PG, EFER_LME, type Registers } from "../reference-walker/registers.js";
import { mayBeSet } from "../reference-walker/set-registers.js";
import { walk } from "../reference-walker/walk.js";

type Row = readonly (readonly [string, string, string])[];

export interface Expected {
  readonly pa: readonly (string | null)[];
  readonly mem: Row;
  readonly cpuid?: string;
  readonly sregs?: string;
  readonly after?: readonly string[];
  readonly dirty?: Readonly<Record<string, readonly number[]>>;
  readonly ring?: readonly (readonly [number, number])[];
}

export interface VectorStep {
  readonly ring?: string;
  readonly slots?: readonly (readonly [number, string, string, number, string])[];
  readonly mem?: readonly (readonly [string, string])[];
  readonly prot?: readonly (readonly [string, string, "ro" | "none"])[];
  readonly cpuid?: { readonly vendor: string; readonly maxphyaddr: number | null };
  readonly sregs?: {
    readonly cr0: string;
    readonly cr3: string;
    readonly cr4: string;
    readonly efer: string;
  } & {
    readonly csl: number;
  };
  readonly rflags?: string;
  readonly gvas: readonly string[];
  readonly exp: Expected;
}

export interface TranslateVector {
  readonly id: string;
  readonly steps: readonly VectorStep[];
}

const LOGS_DIRTY = 1;
const READ_ONLY = 2;
const CR4_ALLOWED = bits(11, 0) | bit(16) | bit(18) | bit(20) | bit(21) | bit(22);

const hex = (value: bigint): string => `0x${value.toString(16)}`;

export class TranslateVm {
  readonly #memory = new GuestMemory();
  readonly #bitmaps = new Map<number, Set<number>>();
  #features: Features = NO_CPUID;
  #registers: Registers = AT_RESET;
  #hasRing = false;

  /** What the model answers to one step, in the words of the recording. */
  answer(step: VectorStep): Expected {
    if (step.ring !== undefined) this.#hasRing = true;
    for (const slot of step.slots ?? []) this.#setSlot(...slot);
    for (const [gpa, value] of step.mem ?? []) this.#memory.store(BigInt(gpa), BigInt(value));
    this.#protect(step.prot ?? []);
    const answered: Partial<Expected> = {
      ...(step.cpuid && this.#setCpuid(step.cpuid)),
      ...(step.sregs && this.#setRegisters(step.sregs)),
    };
    if (step.rflags !== undefined) this.#registers = { ...this.#registers, rflags: BigInt(step.rflags) };
    const before = new Map(this.#memory.words);
    const pa = step.gvas.map((gva) => this.#translate(BigInt(gva)));
    return { pa, mem: this.#changes(before), ...answered, ...this.#takeLogs() };
  }

  #setSlot(id: number, gpa: string, size: string, flags: number, offset: string): void {
    if (BigInt(size) === 0n) {
      this.#memory.slots.delete(id);
      this.#bitmaps.delete(id);
      return;
    }
    const logsDirty = (flags & LOGS_DIRTY) !== 0;
    this.#memory.slots.set(id, {
      id,
      gpa: BigInt(gpa),
      bytes: BigInt(size),
      offset: BigInt(offset),
      isReadOnly: (flags & READ_ONLY) !== 0,
      logsDirty,
    });
    if (!logsDirty) this.#bitmaps.delete(id);
    else if (!this.#bitmaps.has(id)) this.#bitmaps.set(id, new Set());
  }

  /** A step's protections are its own: the next begins with none. */
  #protect(ranges: NonNullable<VectorStep["prot"]>): void {
    this.#memory.protections.clear();
    for (const [offset, size, protection] of ranges)
      for (let page = 0n; page < BigInt(size) >> 12n; ++page)
        this.#memory.protections.set((BigInt(offset) >> 12n) + page, protection);
  }

  #setCpuid({ vendor, maxphyaddr }: NonNullable<VectorStep["cpuid"]>): Partial<Expected> {
    const isAmd = vendor === "amd" || vendor === "hygon";
    this.#features = { ...NO_CPUID, maxphyaddr: maxphyaddr ?? undefined, isAmd };
    return { cpuid: "0" };
  }

  #setRegisters(asked: NonNullable<VectorStep["sregs"]>): Partial<Expected> {
    const [cr0, cr3, cr4, efer] = [asked.cr0, asked.cr3, asked.cr4, asked.efer].map(BigInt) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const isGood = mayBeSet({ cr0, cr3, cr4, efer, isCode64: asked.csl === 1 }, this.#features, CR4_ALLOWED);
    const kept = has(efer, EFER_LME) ? cr0 : cr0 & ~CR0_PG;
    if (isGood) this.#registers = { ...this.#registers, cr0: kept, cr3, cr4, efer };
    const now = this.#registers;
    return { sregs: isGood ? "0" : "EINVAL", after: [now.cr0, now.cr3, now.cr4, now.efer].map(hex) };
  }

  #translate(gva: bigint): string | null {
    const outcome = walk({ registers: this.#registers, features: this.#features }, this.#memory, gva, READ);
    return "fault" in outcome ? null : hex(outcome.gpa);
  }

  /** Changed words in order of the arena's pages, each by the slot made first among those that hold it. */
  #changes(before: ReadonlyMap<bigint, bigint>): Row {
    const slots = [...this.#memory.slots.values()];
    const changed = [...this.#memory.words].filter(([at, now]) => (before.get(at) ?? 0n) !== now);
    changed.sort(([a], [b]) => (a < b ? -1 : 1));
    return changed.flatMap(([at, now]) => {
      const slot = slots.find(({ offset, bytes }) => at >= offset && at < offset + bytes);
      if (slot === undefined) return [];
      return [[hex(slot.gpa + at - slot.offset), hex(before.get(at) ?? 0n), hex(now)] as const];
    });
  }

  #takeLogs(): Partial<Expected> {
    const marks = this.#memory.dirtied.splice(0);
    if (this.#hasRing) return { ring: marks.map(({ slot, page }) => [slot, page] as const) };
    for (const { slot, page } of marks) this.#bitmaps.get(slot)?.add(page);
    const dirty: Record<string, number[]> = {};
    for (const [slot, pages] of this.#bitmaps) {
      dirty[slot] = [...pages].sort((a, b) => a - b);
      pages.clear();
    }
    return this.#bitmaps.size === 0 ? {} : { dirty };
  }
}
