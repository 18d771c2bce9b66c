/**
 * What a VM can be asked: walks, leaves, tables, statistics, verdicts.
 *
 * Queries only look. They check types and hand over; what an answer means is
 * the engine's knowledge.
 */
import {
  bytesOfLevel,
  type Gpa,
  PAGE_BYTES,
  PAGE_SIZES,
  type PageLevel,
  type PageSize,
  parseGpa,
  type Word,
} from "./address.js";
import type { Audit } from "./audit.js";
import { WalkBatch } from "./columns/walk-batch.js";
import type { ResolvedVmConfig } from "./config.js";
import { attempt } from "./errors.js";
import { expectInteger, expectKeys, outOfRange, wrongType } from "./expect.js";
import type { Invalidation } from "./host-mapping.js";
import type {
  NativeDirtyRounds,
  NativeFlushes,
  NativeLeafCounts,
  NativeLeaves,
  NativePage,
  NativeTableList,
  NativeViolation,
  NativeVm,
} from "./native/addon-types.js";

/** As many as an event can name. */
const MOST_VCPUS = 65_536;

/** One entry on the path of a walk, root first. */
export interface Step {
  /** 5 or 4 at the root, 1 at a 4K leaf. */
  readonly level: number;
  /** First gpa that the entry covers. */
  readonly gpa: Gpa;
  /** The entry as hardware and KVM see it. */
  readonly spte: Word;
  readonly isLeaf: boolean;
}

/** A leaf that maps a page. */
export interface Leaf {
  /** First gpa that it maps, as hardware reaches it, alias bits included. */
  readonly gpa: Gpa;
  readonly bytes: number;
  readonly pageSize: PageSize;
  readonly spte: Word;
}

/** Hardware's way to a page through each alias, and what each vCPU's TLB has of it. */
export type Page = NativePage;

/** Leaves as columns of equal length, in gpa order. */
export type Leaves = NativeLeaves;

/** Every table page as columns of equal length: first gpa, level, entries that point to it, root. */
export type TableList = NativeTableList;

/** Table pages in use. */
export interface Tables {
  readonly roots: number;
  /** Keyed by level, `"1"` up to the root's. */
  readonly byLevel: Readonly<Record<string, number>>;
  /** What KVM's table pages take: 4096 bytes each. */
  readonly bytes: number;
  /** What this engine's tables take: less where they have few entries, but for as many as went with more than 16. */
  readonly engineBytes: number;
}

/** Rounds of KVM_GET_DIRTY_LOG over the VM's life. */
export type DirtyRounds = NativeDirtyRounds;

/**
 * TLB flushes over the VM's life: `range` calls of the provider that succeeded
 * and their `pages`, `full` flushes, and `none` for those owed and elided.
 */
export type Flushes = NativeFlushes;

/** A rule that fired: how often, first at which event, at which gpa, and why. */
export type Violation = NativeViolation;

/** Leaves that hardware reaches through the alias at `offset`; `counts` has 4K, 2M and 1G at 1, 2 and 3. */
export type LeafCounts = NativeLeafCounts;

/** Every method throws MmuError `ERR_CLOSED` once the VM is closed and `ERR_BUSY` while a run is in flight. */
export interface VmQueries {
  /** The entries on the way of a hardware walk, from the root down. Only looks. */
  walk(gpa: Gpa): readonly Step[];
  /**
   * The last step of {@link VmQueries.walk} for the rows [0, count) of a batch. Only looks. No object and no bigint for
   * each: columns in, columns out.
   *
   * @throws TypeError or RangeError with code `ERR_CONFIG` for what is no batch; MmuError `ERR_EVENT`, and nothing written,
   * for an address that the VM does not have
   */
  walkBatch(batch: WalkBatch): void;
  /** The page through each of its aliases, entry by entry, and what the TLBs have of it. Only looks. */
  page(gpa: Gpa): Page;
  /** The leaves through which this page is reached, under any of its aliases. */
  rmap(gpa: Gpa): readonly Leaf[];
  /** Entries in KVM's reverse maps of this page, all levels; 0 in flavour `tdp`, which has none. */
  rmapCount(gpa: Gpa): number;
  /** Every present leaf; with `mmio`, MMIO entries too. */
  leaves(options?: { readonly mmio?: boolean }): Leaves;
  /** Leaves by alias, one entry for each alias that the guest can issue, by offset. */
  leafCounts(): readonly LeafCounts[];
  /** KVM's statistics under the names that `config.kernel` has for them, those of vCPUs summed. */
  stats(): Record<string, number>;
  /**
   * KVM's statistics of one vCPU (KVM: struct kvm_vcpu_stat, v6.16).
   *
   * @throws RangeError with code `ERR_CONFIG` for what is no vCPU number, MmuError `ERR_EVENT` if there is no such vCPU
   */
  vcpuStats(vcpu: number): Record<string, number>;
  tables(): Tables;
  tableList(): TableList;
  flushes(): Flushes;
  /** The rules that fired, by name; empty if none did. */
  violations(): readonly Violation[];
  /** The advisories that did, by name: nothing is wrong, and it could be cheaper. */
  advisories(): readonly Violation[];
  /** Every rule that can fire in this VM, advisories too, by name; those of audits once `auditEvery` was called. */
  judged(): readonly string[];
  /**
   * Walks every table, list, log and cache of the VM and checks that they agree: the rules `table-reachable-after-free`,
   * `rmap-mismatch` and `accounting-mismatch`. Only looks: what it finds is no violation unless `auditEvery` found it.
   * Takes as long as there are tables and leaves.
   *
   * @throws MmuError `ERR_OUT_OF_MEMORY`
   */
  audit(): Audit;
  /** Which invalidations of guest memory faults give way to (KVM: mmu_invalidate_retry_gfn(), v6.16). */
  invalidation(): Invalidation;
  /** The page's memory attribute; false where the preset or strategy keeps none. */
  isPrivate(gpa: Gpa): boolean;
  /** Pages that changed their attribute while hardware still reached them through the other alias. */
  readonly coexisting: number;
  /** Pages that `convertOnExit` converted. */
  readonly conversionsOnExit: number;
  /** A round is one `takeDirtyLogs`, one `dirty-log-get` event or one slot's `takeDirtyLog`. */
  dirtyRounds(): DirtyRounds;
  /** Generation of an address space's memslots (KVM: kvm_memslots.generation). @default 0 */
  generation(asId?: number): number;
}

/** The queries of one native VM. */
export class NativeQueries implements VmQueries {
  readonly config: ResolvedVmConfig;
  readonly #native: NativeVm;

  constructor(native: NativeVm, config: ResolvedVmConfig) {
    this.#native = native;
    this.config = config;
  }

  get coexisting(): number {
    return attempt(() => this.#native.coexisting());
  }

  get conversionsOnExit(): number {
    return attempt(() => this.#native.conversions());
  }

  walk(gpa: Gpa): readonly Step[] {
    return attempt(() => this.#native.walk(this.gpaWithin(gpa)));
  }

  walkBatch(batch: WalkBatch): void {
    if (!(batch instanceof WalkBatch)) throw wrongType("batch", "a WalkBatch", batch);
    const { block, capacity } = batch;
    const count = expectInteger("count", batch.count, 0, capacity);
    attempt(() => this.#native.walkBatch(block, capacity, count));
  }

  page(gpa: Gpa): Page {
    return attempt(() => this.#native.page(this.gpaWithin(gpa)));
  }

  rmap(gpa: Gpa): readonly Leaf[] {
    const leaves = attempt(() => this.#native.rmap(this.gpaWithin(gpa)));
    return Array.from(leaves.gpa, (_, row) => leafAt(leaves, row));
  }

  rmapCount(gpa: Gpa): number {
    return attempt(() => this.#native.rmapCount(this.gpaWithin(gpa)));
  }

  leaves(options: { readonly mmio?: boolean } = {}): Leaves {
    expectKeys("leaves", options, ["mmio"]);
    const { mmio = false } = options;
    if (typeof mmio !== "boolean") throw wrongType("mmio", "true or false", mmio);
    return attempt(() => this.#native.leaves(mmio));
  }

  leafCounts(): readonly LeafCounts[] {
    return attempt(() => this.#native.leafCounts());
  }

  stats(): Record<string, number> {
    return attempt(() => this.#native.stats());
  }

  vcpuStats(vcpu: number): Record<string, number> {
    return attempt(() => this.#native.vcpuStats(expectInteger("vcpu", vcpu, 0, MOST_VCPUS - 1)));
  }

  tables(): Tables {
    const { roots, byLevel, bytesInUse } = attempt(() => this.#native.tables());
    const levels = byLevel.map((pages, level) => [String(level), pages] as const);
    const named = Object.fromEntries(levels.slice(1, this.config.rootLevel + 1));
    const pages = byLevel.reduce((sum, count) => sum + count, 0);
    return { roots, byLevel: named, bytes: pages * PAGE_BYTES, engineBytes: bytesInUse };
  }

  tableList(): TableList {
    return attempt(() => this.#native.tableList());
  }

  flushes(): Flushes {
    return attempt(() => this.#native.flushes());
  }

  violations(): readonly Violation[] {
    return attempt(() => this.#native.violations());
  }

  advisories(): readonly Violation[] {
    return attempt(() => this.#native.advisories());
  }

  judged(): readonly string[] {
    return attempt(() => this.#native.judged());
  }

  audit(): Audit {
    return attempt(() => this.#native.audit());
  }

  invalidation(): Invalidation {
    return attempt(() => this.#native.invalidation());
  }

  isPrivate(gpa: Gpa): boolean {
    return attempt(() => this.#native.isPrivate(this.gpaWithin(gpa)));
  }

  dirtyRounds(): DirtyRounds {
    return attempt(() => this.#native.dirtyRounds());
  }

  generation(asId = 0): number {
    return attempt(() => this.#native.generation(expectInteger("asId", asId, 0, 1)));
  }

  /** The address, if the VM has so wide a one. */
  protected gpaWithin(gpa: Gpa): Gpa {
    const { addressBits } = this.config;
    if (parseGpa(gpa, "gpa") < 2 ** addressBits) return gpa;
    throw outOfRange("gpa", `below 2^${addressBits} (addressBits)`, gpa);
  }
}

function leafAt(leaves: NativeLeaves, row: number): Leaf {
  const level = leaves.level[row] as PageLevel;
  const gpa = leaves.gpa[row] as Gpa;
  const spte = leaves.spte[row] as Word;
  return { gpa, bytes: bytesOfLevel(level), pageSize: PAGE_SIZES[level] as PageSize, spte };
}
