/**
 * The addon's interface, written by hand here and nowhere else.
 *
 * Everything below is unchecked: the binding verifies only what memory safety
 * needs. Friendly checks live in `lib/config.ts`, `lib/vm.ts` and
 * `lib/memslots.ts`. Refusals arrive as `NativeError`.
 */
import type { NativeAudit } from "./audit-types.js";
import type { NativeDecoder, NativeFormat, NativeMappedFile } from "./decode-types.js";
import type { NativeBound, NativeExplorer, NativeWorld } from "./explorer-types.js";
import type { NativeGuest } from "./guest-types.js";
import type { NativeHost, NativeInvalidation, NativePrefault } from "./host-types.js";
import type { NativeLiveKvm } from "./live-types.js";
import type { NativeObservedEvent, NativeObserver } from "./observe-types.js";
import type { NativePage } from "./page-types.js";
import type { NativeFlavour, NativeRule, NativeStrategy, NativeViolation } from "./rule-types.js";
import type { NativeRuns } from "./run-types.js";
import type {
  NativeMemslot,
  NativeOutcome,
  NativeRegionRequest,
  NativeRingEntries,
  NativeRingReset,
  NativeTransfer,
} from "./slot-types.js";
import type { NativeTrial, NativeTrialInfo } from "./trial-types.js";

export type * from "./audit-types.js";
export type * from "./decode-types.js";
export type * from "./explorer-types.js";
export type * from "./guest-types.js";
export type * from "./live-types.js";
export type * from "./observe-types.js";
export type * from "./page-types.js";
export type * from "./rule-types.js";
export type * from "./run-types.js";
export type * from "./slot-types.js";
export type * from "./trial-types.js";

/** An error thrown by, or a rejection from, the addon. */
export interface NativeError extends Error {
  readonly code: string;
  /** The errno that KVM returns, `""` where KVM has no such call. */
  readonly errno: string;
  /** The numbers that explain the refusal. */
  readonly values: Readonly<Record<string, number>>;
}

export type NativeColumnType = "f64" | "u32" | "u16" | "u8";

export interface NativeColumn {
  readonly name: string;
  readonly type: NativeColumnType;
}

/** `native/core/event.hpp`, exported. */
export interface NativeLayout {
  readonly version: number;
  readonly event: readonly NativeColumn[];
  readonly extra: readonly NativeColumn[];
  readonly outcome: readonly NativeColumn[];
  readonly eventKinds: readonly string[];
  readonly outcomes: readonly string[];
  readonly flushScopes: readonly string[];
}

export interface NativeErrorInfo {
  readonly name: string;
  readonly errno: string;
  readonly sentence: string;
}

/** What the text of an alias preset stands for. */
export interface NativePreset {
  readonly preset: string;
  readonly kind: "none" | "attribute" | "private-shared" | "stripped";
  /** Numbers of the alias bits in a gpa, ascending. */
  readonly bits: readonly number[];
  /** 0 if the preset fixes none; so has `rootLevel`. */
  readonly addressBits: number;
  readonly rootLevel: number;
  /** Alias 1 may only be fetched from. */
  readonly executeOnly: boolean;
  /** Offset in a gpa of every alias, ascending; the first is 0. */
  readonly aliases: readonly number[];
}

export interface NativeVmConfig {
  readonly addressBits: number;
  readonly rootLevel: number;
  readonly hostMaxphyaddr: number;
  readonly vcpus: number;
  readonly arenaBytes: number;
  readonly strategy: string;
  readonly preset: string;
  readonly mmu: NativeFlavour;
  /** `none`, `hyperv` or `fail:<k>`. */
  readonly flushProvider: string;
  readonly tlb: NativeTlb;
  readonly internalSlots: boolean;
  readonly guestPaging: string;
  /** `ok`, `busy:<k>` or `fail:<k>`. */
  readonly externalTables: string;
  readonly convertOnExit: boolean;
  /** `6.16`, `5.10` or `pvm-6.18`. */
  readonly kernel: string;
  readonly host: NativeHost;
}

/** No arrays switch the TLB model off. */
export interface NativeTlb {
  /** `sizes`: 1 for 4K, 2 for 2M, 4 for 1G, in any sum. */
  readonly arrays: readonly { readonly entries: number; readonly ways: number; readonly sizes: number }[];
  readonly pagingStructureCaches: Readonly<Record<"pde" | "pdpte" | "pml4e" | "pml5e", number>>;
}

export interface NativeStep {
  readonly level: number;
  readonly gpa: number;
  readonly spte: bigint;
  readonly isLeaf: boolean;
}

/** Columns of equal length, in gpa order. */
export interface NativeLeaves {
  readonly gpa: Float64Array;
  readonly spte: BigUint64Array;
  readonly level: Uint8Array;
}

export interface NativeTables {
  readonly roots: number;
  /** Index is the level; index 0 is always 0. */
  readonly byLevel: readonly number[];
  readonly bytesInUse: number;
  readonly bytesCommitted: number;
}

/** Rounds of KVM_GET_DIRTY_LOG over the VM's life. */
export interface NativeDirtyRounds {
  readonly rounds: number;
  /** Rounds that took at least one bit. */
  readonly reaping: number;
  /** Bits taken in all. */
  readonly pages: number;
}

/** Range flushes that succeeded, full flushes, flushes owed and elided, pages of the range flushes. */
export interface NativeFlushes {
  readonly none: number;
  readonly range: number;
  readonly full: number;
  readonly pages: number;
}

/** Leaves that hardware reaches through one alias. */
export interface NativeLeafCounts {
  readonly offset: number;
  /** Index is the level; index 0 is always 0. */
  readonly counts: readonly number[];
}

/** Every table page, as columns of equal length. */
export interface NativeTableList {
  /** First gpa that the table covers, as its key has it. */
  readonly gpa: Float64Array;
  readonly level: Uint8Array;
  /** How many entries point to it. */
  readonly parents: Uint32Array;
  /** Which root it belongs to. */
  readonly root: Uint8Array;
}

export interface NativeVm extends NativeGuest, NativeRuns {
  step(kind: number, gpa: number, bytes: number, vcpu: number, access: number): NativeOutcome;
  setMemslot(region: NativeRegionRequest): NativeOutcome;
  /** `state`: see HostState in `native/core/machine.hpp`. ERR_HOST_MAPPING. */
  setHostMapping(
    hva: number,
    bytes: number,
    state: string,
    pfn: number | undefined,
    level: number,
    reset: boolean,
  ): undefined;
  /** `errno` is `""` if anything was done. */
  prefault(vcpu: number, gpa: number | bigint, bytes: number | bigint): NativePrefault;
  invalidation(): NativeInvalidation;
  /** ERR_MMU_PAGES below 64. */
  setMmuPages(pages: number): NativeOutcome;
  /** Every slot, each with its dirty pages counted, by `slot`. */
  memslots(): NativeMemslot[];
  /** One slot, its dirty pages counted; undefined if there is none with this `as_id << 16 | id`. */
  memslot(slot: number): NativeMemslot | undefined;
  generation(asId: number): number;
  /** With `copyFails` the caller's buffer is not mapped: ERR_COPY, after whatever KVM does before it copies. */
  dirtyLog(slot: number, peek: boolean, copyFails?: boolean): BigUint64Array;
  /** A bit a page from `firstPage` on; null for a buffer that is not mapped, a short one for one that is in part. */
  clearDirtyLog(
    slot: number,
    firstPage: number | bigint,
    pages: number,
    bitmap: BigUint64Array | null,
  ): NativeOutcome;
  /** `most` 0: all there are. */
  collectRing(vcpu: number, most: number): NativeRingEntries;
  resetRings(): NativeRingReset;
  enableCap(cap: number, flags: number, arg0: number | bigint): void;
  disableQuirks(mask: number | bigint): void;
  /** The number of the vCPU in events. */
  createVcpu(id: number): number;
  createGuestMemfd(bytes: number | bigint, flags: number | bigint): number;
  /** Changes no slot; a zap goes with it. */
  setMtrr(msr: number, value: number | bigint): NativeOutcome;
  guestWrite(vcpu: number, gpa: number | bigint, bytes: number): NativeTransfer;
  guestRead(gpa: number | bigint, bytes: number): NativeTransfer;
  /** `6.16`, `6.1` or `5.10`; undefined turns tracing off. */
  setTrace(release: string | undefined): void;
  takeTrace(): string;
  walk(gpa: number): NativeStep[];
  /** Rows [0, count) of a block that is laid out for `capacity` rows. ERR_EVENT, and nothing written. */
  walkBatch(block: Uint8Array, capacity: number, count: number): void;
  page(gpa: number): NativePage;
  rmap(gpa: number): NativeLeaves;
  leaves(mmio: boolean): NativeLeaves;
  stats(): Record<string, number>;
  /** ERR_EVENT if there is no such vCPU. */
  vcpuStats(vcpu: number): Record<string, number>;
  tables(): NativeTables;
  dirtyRounds(): NativeDirtyRounds;
  flushes(): NativeFlushes;
  /** By rule. */
  violations(): NativeViolation[];
  advisories(): NativeViolation[];
  /** Ids of the rules that can fire in this VM. */
  judged(): string[];
  audit(): NativeAudit;
  auditEvery(events: number): void;
  /** Pages whose attribute changed while hardware still reached them through the other alias. */
  coexisting(): number;
  /** Pages that `convertOnExit` converted. */
  conversions(): number;
  /** One entry for each alias that hardware can issue, by offset. */
  leafCounts(): NativeLeafCounts[];
  isPrivate(gpa: number): boolean;
  tableList(): NativeTableList;
  /** How many reverse-map entries a page has. */
  rmapCount(gpa: number): number;
  readonly closed: boolean;
  /** Idempotent. A run in flight rejects with ERR_CLOSED. */
  close(): void;
}

export interface NativeAddon {
  layout(): NativeLayout;
  errors(): NativeErrorInfo[];
  /** By name. */
  strategies(): NativeStrategy[];
  rules(): NativeRule[];
  /** ERR_CONFIG for a text that is no preset. */
  preset(text: string): NativePreset;
  /** `""`, or why such a VM cannot be made; making it is refused with ERR_UNSUPPORTED. */
  applicability(config: NativeVmConfig): string;
  formats(): NativeFormat[];
  /** The format that the first bytes belong to, `""` if none. */
  detectFormat(head: Uint8Array): string;
  /** The events that {@link NativeObserver} makes rows of, by name. */
  observedEvents(): NativeObservedEvent[];
  /** What the build and the machine have, for `gpalias doctor`. */
  build(): Readonly<Record<string, string | boolean | number>>;
  /** What `gpalias bench` times of the engine itself, by name. */
  trials(): NativeTrialInfo[];
  Vm: new (config: NativeVmConfig) => NativeVm;
  Explorer: new (config: NativeVmConfig, world: NativeWorld, bound: NativeBound) => NativeExplorer;
  /** `vendor` is `"auto"` or whose error codes the trace has. */
  Decoder: new (
    format: string,
    vendor: string,
  ) => NativeDecoder;
  Observer: new () => NativeObserver;
  /** ERR_UNSUPPORTED where there is no KVM at `path`, or none that may be asked. */
  LiveKvm: new (
    path: string,
  ) => NativeLiveKvm;
  MappedFile: new (path: string) => NativeMappedFile;
  /** Takes what {@link NativeTrialInfo.bytes} says, and the time to fill it. ERR_INTERNAL for a name that is none. */
  Trial: new (
    name: string,
  ) => NativeTrial;
}
