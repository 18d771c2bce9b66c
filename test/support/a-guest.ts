/** A vCPU with page tables of its own, for tests of the reference walker. */
import { type Features, NO_CPUID } from "../oracle/reference-walker/features.js";
import { GuestMemory } from "../oracle/reference-walker/guest-memory.js";
import { indexOf, type Shape, shapeOf } from "../oracle/reference-walker/modes.js";
import type { Pdptrs } from "../oracle/reference-walker/pdptrs.js";
import {
  AT_RESET,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_LA57,
  CR4_PAE,
  CR4_PSE,
  EFER_LMA,
  EFER_LME,
  EFER_NX,
  type Registers,
} from "../oracle/reference-walker/registers.js";
import type { SecondLevel } from "../oracle/reference-walker/second-level.js";
import type { TableMemory } from "../oracle/reference-walker/table-memory.js";
import { type Outcome, type Vcpu, walk } from "../oracle/reference-walker/walk.js";

export const ADDRESS = 0x4_0040_3123n;
export const FRAME = 0x8000_0000n;
/** Present, writable, user. */
export const PWU = 7n;
export const ACCESSED = 0x20n;
export const DIRTY = 0x40n;
export const LARGE = 0x80n;
export const NX = 1n << 63n;

const ROOT = 0x1000n;
const cr4Of = {
  "32-bit": CR4_PSE,
  pae: CR4_PAE,
  "4-level": CR4_PAE,
  "5-level": CR4_PAE | CR4_LA57,
};

export interface Making {
  readonly registers?: Partial<Registers>;
  readonly features?: Partial<Features>;
  /** Where the tables begin, and the memory that they share with others. */
  readonly root?: bigint;
  readonly memory?: GuestMemory;
}

export class AGuest {
  readonly memory: GuestMemory;
  readonly shape: Shape;
  readonly root: bigint;
  readonly pdptrs: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
  registers: Registers;
  features: Features;
  /** L1's tables, where this guest is L2. */
  beneath: SecondLevel | undefined;
  #nextTable: bigint;

  constructor(mode: Shape["mode"], { registers, features, root = ROOT, memory }: Making = {}) {
    this.shape = shapeOf(mode);
    this.root = root;
    this.#nextTable = root + 0x1000n;
    const longMode = mode === "4-level" || mode === "5-level" ? EFER_LME | EFER_LMA : 0n;
    const [cr0, cr4] = [CR0_PE | CR0_PG | CR0_WP, cr4Of[mode]];
    this.registers = { ...AT_RESET, cr0, cr3: root, cr4, efer: longMode | EFER_NX, ...registers };
    this.features = { ...NO_CPUID, maxphyaddr: 40, hasGigabytePages: true, ...features };
    this.memory = memory ?? new GuestMemory();
    if (memory === undefined)
      this.memory.slots.set(0, { id: 0, gpa: 0n, bytes: 0x10_0000n, offset: 0n, logsDirty: true });
  }

  /** Tables with every right down to `level`, and there this entry; what stands on the way already stays. */
  map(entry: bigint, level = 1, address = ADDRESS): this {
    let table = this.#top(address);
    for (let at = this.shape.topLevel; at > level; --at) {
      const gpa = this.#entryIn(table, at, address);
      if (this.memory.load(gpa, this.shape.entryBytes) === 0n) this.put(gpa, this.#newTable() | PWU);
      table = this.memory.load(gpa, this.shape.entryBytes) & 0xffff_f000n;
    }
    this.put(this.#entryIn(table, level, address), entry);
    return this;
  }

  put(gpa: bigint, entry: bigint): void {
    this.memory.store(gpa, entry, this.shape.entryBytes);
  }

  /** Where the entry lies that a walk reads at this level. */
  entryAt(level: number, address = ADDRESS): bigint {
    let table = this.#top(address);
    for (let at = this.shape.topLevel; at > level; --at)
      table = this.load(this.#entryIn(table, at, address)) & 0xffff_f000n;
    return this.#entryIn(table, level, address);
  }

  load(gpa: bigint): bigint {
    return this.memory.load(gpa, this.shape.entryBytes);
  }

  get vcpu(): Vcpu {
    const pdptrs: Pdptrs = this.pdptrs;
    const { registers, features, beneath } = this;
    return { registers, features, pdptrs, ...(beneath !== undefined && { beneath }) };
  }

  access(access: bigint, address = ADDRESS, memory: TableMemory = this.memory): Outcome {
    return walk(this.vcpu, memory, address, access);
  }

  /** The error code, or undefined if the access is allowed. */
  code(access: bigint, address = ADDRESS): number | undefined {
    const outcome = this.access(access, address);
    return "fault" in outcome ? Number(outcome.fault?.errorCode) : undefined;
  }

  /** The address, or undefined if the walk faults. */
  gpa(access: bigint, address = ADDRESS): bigint | undefined {
    const outcome = this.access(access, address);
    return "fault" in outcome ? undefined : outcome.gpa;
  }

  #top(address: bigint): bigint {
    if (this.shape.mode !== "pae") return this.root;
    const which = Number((address >> 30n) & 3n);
    if (this.pdptrs[which] === 0n) this.pdptrs[which] = this.#newTable() | 1n;
    return (this.pdptrs[which] ?? 0n) & 0xffff_f000n;
  }

  #entryIn(table: bigint, level: number, address: bigint): bigint {
    return table + indexOf(this.shape, level, address) * BigInt(this.shape.entryBytes);
  }

  #newTable(): bigint {
    this.#nextTable += 0x1000n;
    return this.#nextTable;
  }
}
