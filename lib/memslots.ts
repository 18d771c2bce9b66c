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
  /** The slot with this id, 0 to 65535. @param asId 0 unless given */
  get(id: number, asId?: number): Memslot | undefined;
  /** KVM_SET_USER_MEMORY_REGION: create, move, change flags, or delete. */
  set(region: MemoryRegion): Outcome;
}

/** Where the search for a free id starts, so that adding n slots does not look at n * n. */
class FreeIds {
  /** By address space: every id below is taken. */
  readonly #floors = new Map<number, number>();

  /** The lowest id that `isTaken` denies. */
  lowest(asId: number, isTaken: (slot: number) => boolean): number {
    let id = this.#floors.get(asId) ?? 0;
    while (id <= MAX_SLOT_ID && isTaken(asId * ID_STEP + id)) id++;
    this.#floors.set(asId, id);
    if (id <= MAX_SLOT_ID) return id;
    throw outOfRange("memslots", `at most ${MAX_SLOT_ID + 1} in an address space`, MAX_SLOT_ID + 2);
  }

  /** Has to be told of every slot that is deleted. */
  freed(slot: number): void {
    const asId = Math.floor(slot / ID_STEP);
    this.#floors.set(asId, Math.min(this.#floors.get(asId) ?? 0, slot % ID_STEP));
  }
}

class Handle implements Memslot {
  readonly #native: NativeVm;
  readonly #ids: FreeIds;
  readonly #slot: number;
  #deleted = false;

  constructor(native: NativeVm, ids: FreeIds, slot: number) {
    this.#native = native;
    this.#ids = ids;
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
    this.#ids.freed(this.#slot);
    return outcome;
  }

  #change(change: Partial<NativeMemslot>): Outcome {
    const { slot, flags, gpa, bytes, hva, backing } = { ...this.#now(), ...change };
    return applied(() => this.#native.setMemslot({ slot, flags, gpa, bytes, hva, backing }));
  }

  #now(): NativeMemslot {
    // Asked even if the handle is dead: a closed or busy VM says so first.
    const found = attempt(() => this.#native.memslot(this.#slot));
    if (found !== undefined && !this.#deleted) return found;
    const message = `memslot ${this.id} of address space ${this.asId} does not exist`;
    throw new MmuError("ERR_MEMSLOT_MISSING", message, {
      errno: "EINVAL",
      values: { id: this.id, as: this.asId },
    });
  }
}

class Collection implements Memslots {
  readonly #native: NativeVm;
  readonly #ids = new FreeIds();

  constructor(native: NativeVm) {
    this.#native = native;
  }

  *[Symbol.iterator](): Iterator<Memslot> {
    for (const { slot } of this.#all()) yield this.#handle(slot);
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
    return this.#handle(slot);
  }

  at(gpa: Gpa): Memslot | undefined {
    parseGpa(gpa, "gpa");
    const found = this.#all().find((slot) => {
      return slot.slot < ID_STEP && slot.gpa <= gpa && gpa < slot.gpa + slot.bytes;
    });
    return found && this.#handle(found.slot);
  }

  get(id: number, asId = 0): Memslot | undefined {
    expectInteger("id", id, 0, ID_STEP - 1);
    const slot = expectInteger("asId", asId, 0, ID_STEP - 1) * ID_STEP + id;
    return this.#isTaken(slot) ? this.#handle(slot) : undefined;
  }

  set(region: MemoryRegion): Outcome {
    expectKeys("region", region, REGION_KEYS);
    const { slot, flags, gpa, bytes, hva } = region;
    for (const [name, value] of Object.entries({ slot, flags, gpa, bytes, hva })) {
      expectInteger(name, value, 0, Number.MAX_SAFE_INTEGER);
    }
    const backing = backingLevel(region.backing);
    const outcome = applied(() => this.#native.setMemslot({ slot, flags, gpa, bytes, hva, backing }));
    if (bytes === 0) this.#ids.freed(slot);
    return outcome;
  }

  #handle(slot: number): Memslot {
    return new Handle(this.#native, this.#ids, slot);
  }

  #isTaken(slot: number): boolean {
    return attempt(() => this.#native.memslot(slot)) !== undefined;
  }

  #all(): NativeMemslot[] {
    return attempt(() => this.#native.memslots());
  }

  // KVM would read a taken id as a move or a change of flags; `add` promises a new slot.
  #idFor(id: number | undefined, asId: number): number {
    if (id === undefined) return this.#ids.lowest(asId, (slot) => this.#isTaken(slot));
    expectInteger("id", id, 0, ID_STEP - 1);
    if (!this.#isTaken(asId * ID_STEP + id)) return id;
    throw outOfRange("id", "free", id);
  }
}

/** The collection over one native VM. */
export function memslotsOf(native: NativeVm): Memslots {
  return new Collection(native);
}

function applied(change: () => NativeOutcome): Outcome {
  return outcomeOf(attempt(change));
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
