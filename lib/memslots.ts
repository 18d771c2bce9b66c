/**
 * The memslots of a VM: a collection, and a handle for each slot.
 *
 * A handle names a slot; the core holds its state. What KVM would refuse is
 * refused by the core, in KVM's order; here only types are checked. It must
 * not know replays or traces.
 */
import {
  type Gpa,
  levelOfPageSize,
  PAGE_SIZES,
  type PageSize,
  parseGpa,
  parseHva,
  parseSize,
  TiB,
} from "./address.js";
import { type Outcome, outcomeOf } from "./columns/outcome-batch.js";
import { type DirtyLog, dirtyLogOf } from "./dirty-log.js";
import { attempt, MmuError } from "./errors.js";
import { expectInteger, expectKeys, outOfRange, wrongType } from "./expect.js";
import type { NativeMemslot, NativeOutcome, NativeVm } from "./native/addon-types.js";

/** Bits of `flags`, as in KVM's interface. */
export const MEMSLOT_FLAGS = { logDirty: 1, readonly: 2 } as const;

/** Ids from 0 to this one are for users; the next three are KVM's own. */
export const MAX_SLOT_ID = 32_763;

const ID_STEP = 65_536;
const SPEC_KEYS = ["gpa", "bytes", "id", "asId", "hva", "backing", "readonly", "dirtyLog"] as const;
const REGION_KEYS = ["slot", "flags", "gpa", "bytes", "hva", "backing"] as const;

/** A memslot to create. */
export interface MemslotSpec {
  /** First guest-physical address, a multiple of 4096. */
  readonly gpa: Gpa;
  /** Length in bytes, a positive multiple of 4096 of at most 2^31 - 1 pages. */
  readonly bytes: number;
  /** 0 to 32763. @default the lowest id that is free */
  readonly id?: number;
  /** 0 normal, 1 SMM. Accesses use address space 0. @default 0 */
  readonly asId?: number;
  /** Host-virtual address, a multiple of 4096. @default 2^40 + gpa */
  readonly hva?: number;
  /** Largest page that the host maps this memory with. @default "4K" */
  readonly backing?: PageSize;
  /** KVM_MEM_READONLY. @default false */
  readonly readonly?: boolean;
  /** KVM_MEM_LOG_DIRTY_PAGES from the start. @default false */
  readonly dirtyLog?: boolean;
}

/** The argument of KVM_SET_USER_MEMORY_REGION, as raw as there. */
export interface MemoryRegion {
  /** `as_id << 16 | id` */
  readonly slot: number;
  readonly flags: number;
  readonly gpa: Gpa;
  /** 0 deletes the slot. */
  readonly bytes: number;
  readonly hva: number;
  /** @default "4K" */
  readonly backing?: PageSize;
}

/** A slot of the VM. Its properties are read from the core each time. */
export interface Memslot {
  readonly id: number;
  readonly asId: number;
  readonly gpa: Gpa;
  readonly bytes: number;
  readonly hva: number;
  readonly backing: PageSize;
  readonly readonly: boolean;
  readonly dirtyLogging: boolean;
  /** Bits set in the dirty bitmap now; 0 if the slot is not logged. */
  readonly dirtyPages: number;
  /** KVM_MEM_LOG_DIRTY_PAGES on or off; nothing happens if it is so already. */
  setDirtyLogging(on: boolean): Outcome;
  /** KVM_GET_DIRTY_LOG, auto mode: the log, then cleared and re-armed. @throws MmuError `ERR_NO_DIRTY_LOG` */
  takeDirtyLog(): DirtyLog;
  /** Moves the slot, which zaps every mapping of the VM. */
  move(gpa: Gpa): Outcome;
  /** Deletes the slot, which zaps every mapping of the VM. */
  delete(): Outcome;
}

/** Every slot of the VM, by address space and id. */
export interface Memslots extends Iterable<Memslot> {
  /**
   * Creates a slot.
   *
   * @throws TypeError or RangeError with code `ERR_CONFIG` for a value of the
   * wrong type or an id that is taken; MmuError `ERR_MEMSLOT_*` for what KVM
   * refuses (KVM: kvm_set_memory_region(), v6.16).
   */
  add(spec: MemslotSpec): Memslot;
  /** The slot of address space 0 that holds this address. */
  at(gpa: Gpa): Memslot | undefined;
  get(id: number, asId?: number): Memslot | undefined;
  /** KVM_SET_USER_MEMORY_REGION: create, move, change flags, or delete. */
  set(region: MemoryRegion): Outcome;
}

class Handle implements Memslot {
  readonly #native: NativeVm;
  readonly #slot: number;
  #deleted = false;

  constructor(native: NativeVm, slot: number) {
    this.#native = native;
    this.#slot = slot;
  }

  get id(): number {
    return this.#slot % ID_STEP;
  }
  get asId(): number {
    return Math.floor(this.#slot / ID_STEP);
  }
  get gpa(): Gpa {
    return this.#now().gpa;
  }
  get bytes(): number {
    return this.#now().bytes;
  }
  get hva(): number {
    return this.#now().hva;
  }
  get backing(): PageSize {
    return PAGE_SIZES[this.#now().backing] ?? "4K";
  }
  get readonly(): boolean {
    return hasFlag(this.#now(), MEMSLOT_FLAGS.readonly);
  }
  get dirtyLogging(): boolean {
    return hasFlag(this.#now(), MEMSLOT_FLAGS.logDirty);
  }
  get dirtyPages(): number {
    return this.#now().dirtyPages;
  }

  setDirtyLogging(on: boolean): Outcome {
    if (typeof on !== "boolean") throw wrongType("setDirtyLogging", "true or false", on);
    const now = this.#now();
    const others = now.flags - (hasFlag(now, MEMSLOT_FLAGS.logDirty) ? MEMSLOT_FLAGS.logDirty : 0);
    return this.#change({ flags: others + (on ? MEMSLOT_FLAGS.logDirty : 0) });
  }

  takeDirtyLog(): DirtyLog {
    const { gpa } = this.#now();
    return dirtyLogOf(
      gpa,
      attempt(() => this.#native.dirtyLog(this.#slot, false)),
    );
  }

  move(gpa: Gpa): Outcome {
    return this.#change({ gpa: parseGpa(gpa, "gpa") });
  }

  delete(): Outcome {
    const outcome = this.#change({ bytes: 0 });
    this.#deleted = true;
    return outcome;
  }

  #change(change: Partial<NativeMemslot>): Outcome {
    const { slot, flags, gpa, bytes, hva, backing } = { ...this.#now(), ...change };
    return applied(() => this.#native.setMemslot({ slot, flags, gpa, bytes, hva, backing }));
  }

  #now(): NativeMemslot {
    const slots = attempt(() => this.#native.memslots());
    const found = this.#deleted ? undefined : slots.find(({ slot }) => slot === this.#slot);
    if (found !== undefined) return found;
    const message = `memslot ${this.id} of address space ${this.asId} does not exist`;
    throw new MmuError("ERR_MEMSLOT_MISSING", message, {
      errno: "EINVAL",
      values: { id: this.id, as: this.asId },
    });
  }
}

class Collection implements Memslots {
  readonly #native: NativeVm;

  constructor(native: NativeVm) {
    this.#native = native;
  }

  *[Symbol.iterator](): Iterator<Memslot> {
    for (const { slot } of this.#all()) yield new Handle(this.#native, slot);
  }

  add(spec: MemslotSpec): Memslot {
    expectKeys("memslot", spec, SPEC_KEYS);
    const asId = expectInteger("asId", spec.asId ?? 0, 0, ID_STEP - 1);
    const gpa = parseGpa(spec.gpa, "gpa");
    const bytes = parseSize(spec.bytes, "bytes");
    if (bytes === 0) throw outOfRange("bytes", "above 0, as 0 deletes a slot", bytes);
    const slot = asId * ID_STEP + this.#idFor(spec.id, asId);
    const hva = parseHva(spec.hva ?? TiB + gpa, "hva");
    const flags = flagOf("dirtyLog", spec.dirtyLog) * MEMSLOT_FLAGS.logDirty;
    const region = { slot, gpa, bytes, hva, backing: backingLevel(spec.backing) };
    const readonly = flagOf("readonly", spec.readonly) * MEMSLOT_FLAGS.readonly;
    attempt(() => this.#native.setMemslot({ ...region, flags: flags + readonly }));
    return new Handle(this.#native, slot);
  }

  at(gpa: Gpa): Memslot | undefined {
    parseGpa(gpa, "gpa");
    const found = this.#all().find((slot) => {
      return slot.slot < ID_STEP && slot.gpa <= gpa && gpa < slot.gpa + slot.bytes;
    });
    return found && new Handle(this.#native, found.slot);
  }

  get(id: number, asId = 0): Memslot | undefined {
    const wanted = asId * ID_STEP + id;
    return this.#all().some(({ slot }) => slot === wanted) ? new Handle(this.#native, wanted) : undefined;
  }

  set(region: MemoryRegion): Outcome {
    expectKeys("region", region, REGION_KEYS);
    const { slot, flags, gpa, bytes, hva } = region;
    for (const [name, value] of Object.entries({ slot, flags, gpa, bytes, hva })) {
      expectInteger(name, value, 0, Number.MAX_SAFE_INTEGER);
    }
    const backing = backingLevel(region.backing);
    return applied(() => this.#native.setMemslot({ slot, flags, gpa, bytes, hva, backing }));
  }

  #all(): NativeMemslot[] {
    return attempt(() => this.#native.memslots());
  }

  // KVM would read a taken id as a move or a change of flags; `add` promises a new slot.
  #idFor(id: number | undefined, asId: number): number {
    const taken = new Set(this.#all().map(({ slot }) => slot));
    if (id !== undefined) {
      expectInteger("id", id, 0, ID_STEP - 1);
      if (!taken.has(asId * ID_STEP + id)) return id;
      throw outOfRange("id", "free", id);
    }
    for (let free = 0; free <= MAX_SLOT_ID; free++) {
      if (!taken.has(asId * ID_STEP + free)) return free;
    }
    throw outOfRange("memslots", `at most ${MAX_SLOT_ID + 1} in an address space`, MAX_SLOT_ID + 2);
  }
}

/** The collection over one native VM. */
export function memslotsOf(native: NativeVm): Memslots {
  return new Collection(native);
}

function applied(change: () => NativeOutcome): Outcome {
  const { outcome, level, tablesRead, sptesChanged } = attempt(change);
  return outcomeOf(outcome, level, tablesRead, sptesChanged);
}

function hasFlag(slot: NativeMemslot, flag: number): boolean {
  return (slot.flags & flag) !== 0;
}

function flagOf(option: string, value: unknown): 0 | 1 {
  if (value !== undefined && typeof value !== "boolean") throw wrongType(option, "true or false", value);
  return value === true ? 1 : 0;
}

function backingLevel(backing: unknown): number {
  if (backing === undefined) return 1;
  const level = levelOfPageSize(backing);
  if (level === undefined) throw wrongType("backing", `"4K", "2M" or "1G"`, backing);
  return level;
}
