/**
 * A virtual machine's MMU: lifecycle, single steps and batches.
 *
 * The facade checks types and hands over; it never looks into an address. It
 * must not know traces, metrics or reports.
 */
import { type Gpa, parseHva, parseSize } from "./address.js";
import {
  type Access,
  accessBits,
  attributeBit,
  type EventBatch,
  KIND,
  type MemoryAttribute,
} from "./columns/event-batch.js";
import type { EventKind } from "./columns/layout.js";
import { type Outcome, type OutcomeBatch, outcomeOf } from "./columns/outcome-batch.js";
import { type ConfigEngine, nativeConfigOf, presetOf } from "./config/engine.js";
import type { TraceRelease } from "./config/types.js";
import { type ResolvedVmConfig, resolveConfigWith, type VmConfig } from "./config.js";
import { attempt, MmuError } from "./errors.js";
import { expectInteger, expectKeys, expectOneOf, outOfRange } from "./expect.js";
import { type HostMapping, type Prefault, setHostMapping } from "./host-mapping.js";
import { type Memslots, memslotsOf } from "./memslots.js";
import { loadAddon } from "./native/addon.js";
import type { NativeAddon, NativePreset, NativeVm } from "./native/addon-types.js";
import type { VmCalls } from "./vm-calls.js";
import { NativeGuestCalls, userBit, type VmGuest } from "./vm-guest.js";
import type { VmQueries } from "./vm-queries.js";
import { abortedBefore, begin, expectRunOptions, type RunOptions, stopped } from "./vm-runs.js";

export type { HostMapping } from "./host-mapping.js";

export interface AccessOptions {
  /** Which vCPU accesses: below `config.vcpus`, or one that `createVcpu` has made since. @default 0 */
  readonly vcpu?: number;
  /** By code at CPL 3; only where addresses are GVAs. @default false */
  readonly user?: boolean;
}

const TRACE_RELEASES: readonly TraceRelease[] = ["6.16", "6.1", "5.10"];

/** What the text of an alias preset stands for: its bits, its width, and the offset of each alias. */
export type AliasPreset = NativePreset;

/**
 * A VM. One run at a time; different VMs are independent, and may run the same
 * event batch at once.
 *
 * Every method throws MmuError `ERR_CLOSED` once the VM is closed and
 * `ERR_BUSY` while a run is in flight, except where it says otherwise.
 */
export interface Vm extends VmQueries, VmCalls, VmGuest, Disposable {
  readonly config: ResolvedVmConfig;
  /** What `config.alias.preset` stands for. */
  readonly preset: AliasPreset;
  readonly memslots: Memslots;
  readonly closed: boolean;
  /**
   * Performs one guest access: the hardware walk, and KVM's fault handler if
   * that fails (KVM: kvm_mmu_page_fault(), v6.16). For exploring; `replay`
   * and `run` are for volume.
   *
   * @param gpa an integer in [0, 2^addressBits), alias bits included; after `setAddressing("gva")` a guest-virtual address: a
   * bigint of 64 bits, or a canonical one as a signed number
   */
  access(gpa: Gpa | bigint, access: Access | readonly Access[], options?: AccessOptions): Outcome;
  /**
   * Zaps the leaves that meet [gpa, gpa + bytes) under any alias, multiples of 4096 and without alias bits (KVM:
   * kvm_zap_gfn_range(), v6.16).
   */
  zap(gpa: Gpa, bytes: number): Outcome;
  /** Invalidates every root (KVM: kvm_mmu_zap_all_fast(), v6.16). */
  zapAll(): Outcome;
  /** KVM_GET_DIRTY_LOG on every logged slot. In manual mode nothing is taken; with dirty rings the result is `error`. */
  takeDirtyLogs(): Outcome;
  /** The host takes back its memory at [hva, hva + bytes) (KVM: kvm_mmu_notifier_invalidate_range_start(), v6.16). */
  invalidateHva(hva: number, bytes: number): Outcome;
  /**
   * Says what the host's own page tables hold of [hva, hva + bytes) from now on. It changes the host alone: whoever takes
   * something away invalidates it before, as the kernel's memory management does.
   *
   * @param hva a multiple of 4096 below 2^52, as is the end
   * @throws MmuError `ERR_HOST_MAPPING` for a mapping that cannot be
   */
  setHostMapping(hva: number, bytes: number, mapping: HostMapping): void;
  /**
   * KVM_PRE_FAULT_MEMORY: maps [gpa, gpa + bytes) ahead, as far as it gets. With `mirror` the address has no alias bits, and
   * the attribute decides which alias is meant; with every other strategy it is used as it is. Where KVM would wait for an
   * invalidation to end, it ends with `EAGAIN`.
   *
   * @param gpa an integer in [0, 2^addressBits); one that is no multiple of 4096 comes back as `EINVAL`, as does `bytes`
   * @throws MmuError `ERR_EVENT` for an address or a vCPU that the VM does not have
   */
  prefault(gpa: Gpa, bytes: number, options?: AccessOptions): Prefault;
  /**
   * KVM_SET_NR_MMU_PAGES: the most shadow pages that flavour `rmap` keeps; the oldest go where there are more. Until it is
   * called the limit is a fiftieth of the slots' pages, and 64 at least. Flavour `tdp` has no limit, and takes any.
   *
   * @param pages an integer of at least 64
   * @throws MmuError `ERR_MMU_PAGES` (EINVAL) for fewer
   */
  setMmuPages(pages: number): Outcome;
  /**
   * KVM_SET_MEMORY_ATTRIBUTES over [gpa, gpa + bytes), without alias bits.
   *
   * @throws MmuError `ERR_EVENT` where preset and strategy keep no attributes
   */
  setAttributes(gpa: Gpa, bytes: number, attribute: MemoryAttribute): Outcome;
  /**
   * Prints, from now on, what KVM's tracepoints would print: as tracefs does, as this release does. `true` is the
   * release that `config.kernel` is nearest to; `false` turns it off. What was printed and not taken is forgotten.
   *
   * @throws TypeError or RangeError with code `ERR_CONFIG` for no such release; MmuError `ERR_OUT_OF_MEMORY`
   */
  setTrace(release: boolean | TraceRelease): void;
  /**
   * The lines since the last time, each with its end; "" where tracing is off. A VM keeps 256 MiB of them; the last
   * line says how many found no room.
   */
  takeTrace(): string;
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
  /** Frees the VM. Idempotent; a run in flight rejects with `ERR_CLOSED`. */
  close(): void;
}

class VmFacade extends NativeGuestCalls implements Vm {
  readonly memslots: Memslots;
  readonly preset: AliasPreset;
  readonly #native: NativeVm;
  #isRunning = false;
  #vcpus: number;

  constructor(addon: NativeAddon, config: ResolvedVmConfig) {
    const native = attempt(() => new addon.Vm(nativeConfigOf(config)));
    const preset = presetOf(addon, config.alias.preset);
    super(native, config, preset.bits[0] ?? config.addressBits);
    this.#native = native;
    this.#vcpus = config.vcpus;
    this.preset = preset;
    this.memslots = memslotsOf(native);
  }

  get closed(): boolean {
    return this.#native.closed;
  }

  override createVcpu(id: number): number {
    const vcpu = super.createVcpu(id);
    this.#vcpus = vcpu + 1;
    return vcpu;
  }

  #expectVcpu(vcpu: number): number {
    if (this.#vcpus === 0) throw outOfRange("vcpu", "one that createVcpu has made, and there is none", vcpu);
    return expectInteger("vcpu", vcpu, 0, this.#vcpus - 1);
  }

  access(gpa: Gpa | bigint, access: Access | readonly Access[], options: AccessOptions = {}): Outcome {
    expectKeys("access", options, this.isAddressedByGva ? ["vcpu", "user"] : ["vcpu"]);
    const vcpu = this.#expectVcpu(options.vcpu ?? 0);
    if (this.isAddressedByGva) return this.accessByGva(gpa, accessBits(access) + userBit(options.user), vcpu);
    return this.#step("access", this.gpaWithin(gpa as number), 0, vcpu, accessBits(access));
  }

  zap(gpa: Gpa, bytes: number): Outcome {
    return this.#step("zap", this.gpaWithin(gpa), parseSize(bytes, "bytes"));
  }

  zapAll(): Outcome {
    return this.#step("zap-all-fast", 0, 0);
  }

  takeDirtyLogs(): Outcome {
    return this.#step("dirty-log-get", 0, 0);
  }

  invalidateHva(hva: number, bytes: number): Outcome {
    return this.#step("hva-invalidate", parseHva(hva, "hva"), parseSize(bytes, "bytes"));
  }

  setHostMapping(hva: number, bytes: number, mapping: HostMapping): void {
    setHostMapping(this.#native, hva, bytes, mapping);
  }

  prefault(gpa: Gpa, bytes: number, options: AccessOptions = {}): Prefault {
    expectKeys("prefault", options, ["vcpu"]);
    const vcpu = this.#expectVcpu(options.vcpu ?? 0);
    expectInteger("bytes", bytes, 0, Number.MAX_SAFE_INTEGER);
    return attempt(() => this.#native.prefault(vcpu, this.gpaWithin(gpa), bytes));
  }

  setMmuPages(pages: number): Outcome {
    const limit = expectInteger("pages", pages, 0, Number.MAX_SAFE_INTEGER);
    return outcomeOf(attempt(() => this.#native.setMmuPages(limit)));
  }

  setAttributes(gpa: Gpa, bytes: number, attribute: MemoryAttribute): Outcome {
    const bit = attributeBit(attribute);
    return this.#step("attributes", this.gpaWithin(gpa), parseSize(bytes, "bytes"), 0, bit);
  }

  setTrace(release: boolean | TraceRelease): void {
    const chosen = typeof release === "boolean" ? this.#ownRelease(release) : release;
    if (chosen !== undefined) expectOneOf("release", chosen, TRACE_RELEASES);
    attempt(() => this.#native.setTrace(chosen));
  }

  takeTrace(): string {
    return attempt(() => this.#native.takeTrace());
  }

  runSync(events: EventBatch, outcomes: OutcomeBatch): void {
    begin(events, outcomes);
    try {
      const { buffer, capacity, count } = events;
      outcomes.count = this.#native.runSync(buffer, outcomes.buffer, capacity, count);
    } catch (error) {
      throw stopped(error, outcomes);
    } finally {
      events.endRun();
    }
  }

  async run(events: EventBatch, outcomes: OutcomeBatch, options: RunOptions = {}): Promise<void> {
    const { signal, helpers } = expectRunOptions(options);
    if (signal?.aborted) throw abortedBefore(signal);
    // Refused before it listens: its signal is not to end the run in flight.
    if (this.#isRunning && !this.closed) throw new MmuError("ERR_BUSY", "a run is in flight");
    begin(events, outcomes);
    this.#isRunning = true;
    const abort = () => this.#native.abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const { buffer, capacity, count } = events;
      outcomes.count = await this.#native.run(buffer, outcomes.buffer, capacity, count, helpers);
    } catch (error) {
      throw stopped(error, outcomes);
    } finally {
      this.#isRunning = false;
      signal?.removeEventListener("abort", abort);
      events.endRun();
    }
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ownRelease(on: boolean): TraceRelease | undefined {
    if (!on) return undefined;
    return this.config.kernel === "5.10" ? "5.10" : "6.16";
  }

  #step(kind: EventKind, gpa: number, bytes: number, vcpu = 0, access = 0): Outcome {
    return outcomeOf(attempt(() => this.#native.step(KIND[kind], gpa, bytes, vcpu, access)));
  }
}

/**
 * Creates a VM. `using` closes it at the end of the block.
 *
 * @throws TypeError or RangeError with code `ERR_CONFIG` for a bad option;
 * MmuError `ERR_UNSUPPORTED` for options that do not go together
 * @example
 * using vm = createVm({ vcpus: 2 });
 * vm.memslots.add({ gpa: 0, bytes: 2 ** 30 });
 * vm.access(0x1000, "write").result; // "fixed"
 */
export function createVm(config: VmConfig = {}): Vm {
  const addon = loadAddon();
  return new VmFacade(addon, resolveConfigWith(addon, config));
}

/**
 * Fills in defaults and checks every value, as `createVm` does.
 *
 * @throws as {@link createVm}
 */
export function resolveConfig(config: VmConfig = {}): ResolvedVmConfig {
  return resolveConfigWith(loadAddon(), config);
}

/**
 * What the text of an alias preset stands for.
 *
 * @throws RangeError with code `ERR_CONFIG` for what is no preset
 */
export function aliasPreset(text = "none"): AliasPreset {
  return presetOf(loadAddon(), text);
}

/** The engine that configurations are checked against: the addon, loaded at the first use. */
export function configEngine(): ConfigEngine {
  return loadAddon();
}
