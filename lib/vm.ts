/**
 * A virtual machine's MMU: lifecycle, single steps, batches and queries.
 *
 * The facade checks types and hands over; it never looks into an address. It
 * must not know traces, metrics or reports.
 */
import {
  bytesOfLevel,
  type Gpa,
  PAGE_BYTES,
  PAGE_SIZES,
  type PageLevel,
  type PageSize,
  parseGpa,
  parseSize,
  type Word,
} from "./address.js";
import { type Access, accessBits, EventBatch, KIND } from "./columns/event-batch.js";
import type { EventKind } from "./columns/layout.js";
import { type Outcome, OutcomeBatch, outcomeOf } from "./columns/outcome-batch.js";
import { type ResolvedVmConfig, resolveConfig, type VmConfig } from "./config.js";
import { attempt, fromNative, MmuError } from "./errors.js";
import { expectInteger, expectKeys, outOfRange, wrongType } from "./expect.js";
import { type Memslots, memslotsOf } from "./memslots.js";
import { loadAddon } from "./native/addon.js";
import type { NativeAddon, NativeLeaves, NativeVm } from "./native/addon-types.js";

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

/** Leaves as columns of equal length, in gpa order. */
export interface Leaves {
  readonly gpa: Float64Array;
  readonly spte: BigUint64Array;
  readonly level: Uint8Array;
}

/** Table pages in use. */
export interface Tables {
  readonly roots: number;
  /** Keyed by level, `"1"` up to the root's. */
  readonly byLevel: Readonly<Record<string, number>>;
  /** What KVM's table pages take: 4096 bytes each. */
  readonly bytes: number;
  /** What this engine's tables take. */
  readonly engineBytes: number;
}

/** Rounds of KVM_GET_DIRTY_LOG over the VM's life. */
export interface DirtyRounds {
  readonly rounds: number;
  /** Rounds that took at least one bit. */
  readonly reaping: number;
  /** Bits taken in all. */
  readonly pages: number;
}

export interface AccessOptions {
  /** Which vCPU accesses: below `config.vcpus`. @default 0 */
  readonly vcpu?: number;
}

export interface RunOptions {
  /** Stops the run with `ERR_ABORTED`; the VM stays usable. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A VM. One run at a time; different VMs are independent.
 *
 * Every method throws MmuError `ERR_CLOSED` once the VM is closed and
 * `ERR_BUSY` while a run is in flight, except where it says otherwise.
 */
export interface Vm extends Disposable {
  readonly config: ResolvedVmConfig;
  readonly memslots: Memslots;
  readonly closed: boolean;
  /**
   * Performs one guest access: the hardware walk, and KVM's fault handler if
   * that fails (KVM: kvm_mmu_page_fault(), v6.16). For exploring; `replay`
   * and `run` are for volume.
   *
   * @param gpa an integer in [0, 2^addressBits)
   */
  access(gpa: Gpa, access: Access | readonly Access[], options?: AccessOptions): Outcome;
  /** Zaps the leaves that meet [gpa, gpa + bytes), multiples of 4096 (KVM: kvm_zap_gfn_range(), v6.16). */
  zap(gpa: Gpa, bytes: number): Outcome;
  /** Invalidates every root (KVM: kvm_mmu_zap_all_fast(), v6.16). */
  zapAll(): Outcome;
  /** KVM_GET_DIRTY_LOG in auto mode on every logged slot. */
  takeDirtyLogs(): Outcome;
  /**
   * Applies the events in order, on this thread.
   *
   * @throws MmuError `ERR_EVENT` naming the first bad row before any is
   * applied; `ERR_BATCH` if the capacities differ; `ERR_OUT_OF_MEMORY`.
   * `values.applied` counts the rows that took effect. TypeError or RangeError
   * with code `ERR_CONFIG` for what is no batch, or a `count` that is no number
   * of rows.
   */
  runSync(events: EventBatch, outcomes: OutcomeBatch): void;
  /** As {@link runSync}, off this thread; rejects with `ERR_ABORTED` or `ERR_CLOSED` if told to stop. */
  run(events: EventBatch, outcomes: OutcomeBatch, options?: RunOptions): Promise<void>;
  /** The entries on the way of a hardware walk, from the root down. Only looks. */
  walk(gpa: Gpa): readonly Step[];
  /** The leaves through which this page is reached, under any of its aliases. */
  rmap(gpa: Gpa): readonly Leaf[];
  /** Every present leaf; with `mmio`, MMIO entries too. */
  leaves(options?: { readonly mmio?: boolean }): Leaves;
  /** KVM's statistics under KVM's names, those of vCPUs summed. */
  stats(): Record<string, number>;
  tables(): Tables;
  /** A round is one `takeDirtyLogs`, one `dirty-log-get` event or one slot's `takeDirtyLog`. */
  dirtyRounds(): DirtyRounds;
  /** Generation of an address space's memslots (KVM: kvm_memslots.generation). @default 0 */
  generation(asId?: number): number;
  /** Frees the VM. Idempotent; a run in flight rejects with `ERR_CLOSED`. */
  close(): void;
}

class VmFacade implements Vm {
  readonly config: ResolvedVmConfig;
  readonly memslots: Memslots;
  readonly #native: NativeVm;
  readonly #addresses: number;
  #isRunning = false;

  constructor(addon: NativeAddon, config: ResolvedVmConfig) {
    const { addressBits, rootLevel, hostMaxphyaddr, vcpus, arenaBytes, alias } = config;
    const strategy = alias.strategy;
    const nativeConfig = { addressBits, rootLevel, hostMaxphyaddr, vcpus, arenaBytes, strategy };
    this.config = config;
    this.#native = attempt(() => new addon.Vm(nativeConfig));
    this.#addresses = 2 ** addressBits;
    this.memslots = memslotsOf(this.#native);
  }

  get closed(): boolean {
    return this.#native.closed;
  }

  access(gpa: Gpa, access: Access | readonly Access[], options: AccessOptions = {}): Outcome {
    expectKeys("access", options, ["vcpu"]);
    const { vcpu = 0 } = options;
    expectInteger("vcpu", vcpu, 0, this.config.vcpus - 1);
    return this.#step("access", this.#gpa(gpa), 0, vcpu, accessBits(access));
  }

  zap(gpa: Gpa, bytes: number): Outcome {
    return this.#step("zap", this.#gpa(gpa), parseSize(bytes, "bytes"));
  }

  zapAll(): Outcome {
    return this.#step("zap-all-fast", 0, 0);
  }

  takeDirtyLogs(): Outcome {
    return this.#step("dirty-log-get", 0, 0);
  }

  runSync(events: EventBatch, outcomes: OutcomeBatch): void {
    begin(events, outcomes);
    try {
      const { buffer, capacity, count } = events;
      outcomes.count = this.#native.runSync(buffer, outcomes.buffer, capacity, count);
    } catch (error) {
      throw stopped(error, outcomes, this.config);
    } finally {
      events.endRun();
    }
  }

  async run(events: EventBatch, outcomes: OutcomeBatch, options: RunOptions = {}): Promise<void> {
    const signal = signalIn(options);
    if (signal?.aborted) throw abortedBefore(signal);
    // Refused before it listens: its signal is not to end the run in flight.
    if (this.#isRunning && !this.closed) throw new MmuError("ERR_BUSY", "a run is in flight");
    begin(events, outcomes);
    this.#isRunning = true;
    const abort = () => this.#native.abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const { buffer, capacity, count } = events;
      outcomes.count = await this.#native.run(buffer, outcomes.buffer, capacity, count);
    } catch (error) {
      throw stopped(error, outcomes, this.config);
    } finally {
      this.#isRunning = false;
      signal?.removeEventListener("abort", abort);
      events.endRun();
    }
  }

  walk(gpa: Gpa): readonly Step[] {
    return attempt(() => this.#native.walk(this.#gpa(gpa)));
  }

  rmap(gpa: Gpa): readonly Leaf[] {
    const leaves = attempt(() => this.#native.rmap(this.#gpa(gpa)));
    return Array.from(leaves.gpa, (_, row) => leafAt(leaves, row));
  }

  leaves(options: { readonly mmio?: boolean } = {}): Leaves {
    expectKeys("leaves", options, ["mmio"]);
    const { mmio = false } = options;
    if (typeof mmio !== "boolean") throw wrongType("mmio", "true or false", mmio);
    return attempt(() => this.#native.leaves(mmio));
  }

  stats(): Record<string, number> {
    return attempt(() => this.#native.stats());
  }

  tables(): Tables {
    const { roots, byLevel, bytesInUse } = attempt(() => this.#native.tables());
    const levels = byLevel.map((pages, level) => [String(level), pages] as const);
    const named = Object.fromEntries(levels.slice(1, this.config.rootLevel + 1));
    const pages = byLevel.reduce((sum, count) => sum + count, 0);
    return { roots, byLevel: named, bytes: pages * PAGE_BYTES, engineBytes: bytesInUse };
  }

  dirtyRounds(): DirtyRounds {
    return attempt(() => this.#native.dirtyRounds());
  }

  generation(asId = 0): number {
    return attempt(() => this.#native.generation(expectInteger("asId", asId, 0, 1)));
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #step(kind: EventKind, gpa: Gpa, bytes: number, vcpu = 0, access = 0): Outcome {
    const { outcome, level, tablesRead, sptesChanged } = attempt(() =>
      this.#native.step(KIND[kind], gpa, bytes, vcpu, access),
    );
    return outcomeOf(outcome, level, tablesRead, sptesChanged);
  }

  #gpa(gpa: Gpa): Gpa {
    if (parseGpa(gpa, "gpa") < this.#addresses) return gpa;
    throw outOfRange("gpa", `below 2^${this.config.addressBits} (addressBits)`, gpa);
  }
}

/**
 * Creates a VM. `using` closes it at the end of the block.
 *
 * @throws TypeError or RangeError with code `ERR_CONFIG` for a bad option
 * @example
 * using vm = createVm({ vcpus: 2 });
 * vm.memslots.add({ gpa: 0, bytes: 2 ** 30 });
 * vm.access(0x1000, "write").result; // "fixed"
 */
export function createVm(config: VmConfig = {}): Vm {
  const addon = loadAddon();
  const strategies = addon.strategies().map(({ name }) => name);
  return new VmFacade(addon, resolveConfig(config, strategies));
}

function signalIn(options: RunOptions): AbortSignal | undefined {
  expectKeys("run", options, ["signal"]);
  const { signal } = options;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw wrongType("signal", "an AbortSignal", signal);
}

function begin(events: EventBatch, outcomes: OutcomeBatch): void {
  if (!(events instanceof EventBatch)) throw wrongType("events", "an EventBatch", events);
  if (!(outcomes instanceof OutcomeBatch)) throw wrongType("outcomes", "an OutcomeBatch", outcomes);
  if (events.capacity !== outcomes.capacity) {
    const message = `the outcome batch has ${outcomes.capacity} rows, the event batch ${events.capacity}`;
    throw new MmuError("ERR_BATCH", message, { values: { applied: 0 } });
  }
  expectInteger("count", events.count, 0, events.capacity);
  events.beginRun();
  outcomes.count = 0;
}

// What the engine did before it stopped stays readable.
function stopped(error: unknown, outcomes: OutcomeBatch, { vcpus }: ResolvedVmConfig): unknown {
  const converted = fromNative(error);
  if (!(converted instanceof MmuError)) return converted;
  outcomes.count = converted.values["applied"] ?? 0;
  return converted.code === "ERR_EVENT" ? withVcpuLimit(converted, vcpus) : converted;
}

// The core shows values in hex and does not know what the limit is called here.
function withVcpuLimit(error: MmuError, vcpus: number): MmuError {
  const { value } = error.values;
  const message = error.message.replace(
    /the number of a vCPU of this VM, got .*/,
    `a vCPU below ${vcpus} (vcpus), got vCPU ${value}`,
  );
  return Object.assign(error, { message, stack: error.stack?.replace(error.message, () => message) });
}

function abortedBefore(signal: AbortSignal): MmuError {
  return new MmuError("ERR_ABORTED", "aborted after 0 events", {
    values: { applied: 0 },
    cause: signal.reason,
  });
}

function leafAt(leaves: NativeLeaves, row: number): Leaf {
  const level = leaves.level[row] as PageLevel;
  const gpa = leaves.gpa[row] as Gpa;
  const spte = leaves.spte[row] as Word;
  return { gpa, bytes: bytesOfLevel(level), pageSize: PAGE_SIZES[level] as PageSize, spte };
}
