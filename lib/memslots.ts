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
  PAGE_BYTES,
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
import { FreeIds } from "./memslot-ids.js";
import { ID_STEP, MEMSLOT_FLAGS } from "./memslot-numbers.js";
import type { NativeMemslot, NativeOutcome, NativeVm } from "./native/addon-types.js";
import { expectU64 } from "./vm-calls.js";

const SPEC_KEYS = ["gpa", "bytes", "id", "asId", "hva", "backing", "readonly", "dirtyLog"] as const;
const REGION_KEYS = ["slot", "flags", "gpa", "bytes", "hva", "backing", "memfd", "memfdOffset"] as const;

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

/** The argument of KVM_SET_USER_MEMORY_REGION2, as raw as there: a bigint says what a number cannot. */
export interface MemoryRegion {
  /** `as_id << 16 | id` */
  readonly slot: number;
  readonly flags: number;
  readonly gpa: Gpa | bigint;
  /** 0 deletes the slot. */
  readonly bytes: number | bigint;
  readonly hva: number | bigint;
  /** @default "4K" */
  readonly backing?: PageSize;
  /** With flag 4: what `vm.createGuestMemfd` returned, or -1 for no open file. @default -1 */
  readonly memfd?: number;
  /** With flag 4: a byte of that file, a multiple of 4096. @default 0 */
  readonly memfdOffset?: number | bigint;
}

/** What reading a dirty log can be told. */
export interface TakeDirtyLogOptions {
  /** The caller's buffer is not mapped, which KVM notices last: `ERR_COPY`. @default false */
  readonly copyFails?: boolean;
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
  /**
   * KVM_GET_DIRTY_LOG: the log, then cleared and re-armed, unless capability 168 made that a call of its own.
   *
   * @throws MmuError `ERR_NO_DIRTY_LOG`, `ERR_DIRTY_RING`, `ERR_COPY`
   */
  takeDirtyLog(options?: TakeDirtyLogOptions): DirtyLog;
  /**
   * KVM_CLEAR_DIRTY_LOG: of `pages` pages from `firstPage` on, the dirty ones that `words` names are cleared and
   * re-armed.
   *
   * @param firstPage a multiple of 64, counted from the start of the slot @default 0
   * @param pages a multiple of 64, or up to the slot's end @default up to the slot's end
   * @param words a bit a page, little-endian; null for a buffer that is not mapped @default every page
   * @throws MmuError `ERR_DIRTY_LOG` (EINVAL), `ERR_NO_DIRTY_LOG` (ENOENT), `ERR_DIRTY_RING` (ENXIO), `ERR_COPY`
   */
  clearDirtyLog(firstPage?: number, pages?: number, words?: BigUint64Array | null): Outcome;
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

  takeDirtyLog(options: TakeDirtyLogOptions = {}): DirtyLog {
    expectKeys("takeDirtyLog", options, ["copyFails"]);
    const copyFails = flagOf("copyFails", options.copyFails) === 1;
    const { gpa } = this.#now();
    return dirtyLogOf(
      gpa,
      attempt(() => this.#native.dirtyLog(this.#slot, false, copyFails)),
    );
  }

  clearDirtyLog(firstPage = 0, pages = this.#pagesFrom(firstPage), words?: BigUint64Array | null): Outcome {
    expectInteger("firstPage", firstPage, 0, Number.MAX_SAFE_INTEGER);
    expectInteger("pages", pages, 0, 2 ** 32 - 1);
    if (words !== undefined && words !== null && !(words instanceof BigUint64Array)) {
      throw wrongType("words", "a BigUint64Array or null", words);
    }
    // Of more pages than the slot has nothing is read.
    const length = Math.ceil(Math.min(pages, this.#pagesFrom(0)) / 64);
    const bitmap = words === undefined ? new BigUint64Array(length).fill(2n ** 64n - 1n) : words;
    return applied(() => this.#native.clearDirtyLog(this.#slot, firstPage, pages, bitmap));
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

  #pagesFrom(first: number): number {
    return Math.max(0, this.#now().bytes / PAGE_BYTES - first);
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
    const { slot, flags, gpa, bytes, hva, memfd = -1, memfdOffset = 0 } = region;
    for (const [name, value] of Object.entries({ slot, flags })) {
      expectInteger(name, value, 0, Number.MAX_SAFE_INTEGER);
    }
    for (const [name, value] of Object.entries({ gpa, bytes, hva, memfdOffset })) expectU64(name, value);
    expectInteger("memfd", memfd, -1, 2 ** 31 - 1);
    const request = { slot, flags, gpa, bytes, hva, memfd, memfdOffset };
    const backing = backingLevel(region.backing);
    const outcome = applied(() => this.#native.setMemslot({ ...request, backing }));
    if (bytes === 0 || bytes === 0n) this.#ids.freed(slot);
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
