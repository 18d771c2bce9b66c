/**
 * The result of a replay: its shape, and how it is put together.
 *
 * Plain data. The batch size shows in `timing` and nowhere else.
 * It must not run anything.
 */
import { formatGpa, PAGE_SIZES, type PageSize } from "./address.js";
import type { ResolvedVmConfig } from "./config.js";
import { MEMSLOT_FLAGS, type Memslot } from "./memslots.js";
import type { MetricFields } from "./metrics/metric.js";
import type { Compression } from "./trace/compression.js";
import type { Guess } from "./trace/infer-memslots.js";
import type { Trace } from "./trace/trace.js";
import { VERSION } from "./version.js";
import type { DirtyRounds, Tables, Vm } from "./vm.js";

/** A memslot of the run, in the form that memslot files have. */
export interface ReplayMemslot {
  /** `as_id << 16 | id` */
  readonly slot: number;
  readonly gpa: string;
  readonly size: string;
  /** 1 dirty logging, 2 read-only. */
  readonly flags: number;
  readonly hva: string;
  readonly backing: PageSize;
}

/** What was asked of the VM. */
export interface ReplayConfig {
  readonly alias: { readonly strategy: string; readonly preset: string; readonly bits: readonly number[] };
  readonly mmu: string;
  readonly addressBits: number;
  readonly rootLevel: number;
  readonly hostMaxphyaddr: number;
  /** Page size that all slots are backed with; absent if they differ. */
  readonly backing?: PageSize;
  /** Whether any slot was logged when the replay began. */
  readonly dirtyLog: "on" | "off";
  readonly memslots: readonly ReplayMemslot[];
  readonly guesses: readonly Guess[];
}

/** Where the events came from, and what they were. */
export type ReplayInput = MetricFields["input"] & {
  /** As it was given; `stdin` or `stream` where there is no file. */
  readonly path: string;
  readonly format: string;
  readonly compression: Compression;
  /** Of the file's bytes as stored; absent if it was switched off. */
  readonly sha256?: string;
  /** Lines or records that made no event, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Events that the recorder dropped. */
  readonly lost: number;
};

export interface ReplayTiming {
  readonly wallNs: number;
  readonly eventsPerSecond: number;
  readonly threads: number;
  readonly path: string;
  /** Rows of a batch. */
  readonly batch: number;
}

/** What a trace came to on a VM. */
export interface Replay extends Omit<MetricFields, "input"> {
  readonly schemaVersion: 1;
  /** `strategy/flavour` */
  readonly run: string;
  readonly engine: { readonly version: string };
  readonly input: ReplayInput;
  readonly config: ReplayConfig;
  /** KVM's statistics of the VM at the end, under KVM's names. */
  readonly stats: Readonly<Record<string, number>>;
  readonly tables: Tables;
  /** Leaves that hardware reaches at the end, by alias and page size. */
  readonly leaves: Readonly<Record<string, Readonly<Record<PageSize, number>>>>;
  /** Dirty-log rounds of this replay. */
  readonly dirtyRounds: DirtyRounds;
  /** Pages set in each logged slot's dirty bitmap at the end, by slot. */
  readonly dirty: Readonly<Record<string, number>>;
  readonly violations: readonly never[];
  readonly timing: ReplayTiming;
}

const ID_STEP = 65_536;

/** The run's configuration. Taken before the first event, when flags are as asked for. */
export function configOf(vm: Vm, guesses: readonly Guess[]): ReplayConfig {
  const slots = [...vm.memslots];
  const sizes = new Set(slots.map(({ backing }) => backing));
  return {
    ...aliasAndWidths(vm.config),
    ...(sizes.size === 1 && { backing: [...sizes][0] as PageSize }),
    dirtyLog: slots.some(({ dirtyLogging }) => dirtyLogging) ? "on" : "off",
    memslots: slots.map(memslotOf),
    guesses,
  };
}

/** What the trace was, once it has been read. */
export async function inputOf(trace: Trace, fields: MetricFields["input"]): Promise<ReplayInput> {
  const { source: path, format, compression } = trace;
  const { skipped, lost } = trace.totals;
  const sha256 = await trace.sha256();
  return { path, format, compression, ...(sha256 !== undefined && { sha256 }), ...fields, skipped, lost };
}

/** The rounds that came after `before` was taken. */
export function roundsSince(vm: Vm, before: DirtyRounds): DirtyRounds {
  const { rounds, reaping, pages } = vm.dirtyRounds();
  return {
    rounds: rounds - before.rounds,
    reaping: reaping - before.reaping,
    pages: pages - before.pages,
  };
}

/** What the VM holds, once the trace has been replayed. */
export function stateOf(vm: Vm): Pick<Replay, "stats" | "tables" | "leaves" | "dirty"> {
  const stats = vm.stats();
  const logged = [...vm.memslots].filter(({ dirtyLogging }) => dirtyLogging);
  const dirty = Object.fromEntries(logged.map((slot) => [String(slotOf(slot)), slot.dirtyPages]));
  return { stats, tables: vm.tables(), leaves: { "0x0": leavesOf(stats) }, dirty };
}

export const ENGINE = { version: VERSION } as const;

function aliasAndWidths({ alias, mmu, addressBits, rootLevel, hostMaxphyaddr }: ResolvedVmConfig) {
  return { alias: { ...alias, bits: [] }, mmu, addressBits, rootLevel, hostMaxphyaddr };
}

// Without alias bits hardware reaches each leaf once, so KVM's counts are the answer.
function leavesOf(stats: Readonly<Record<string, number>>): Record<PageSize, number> {
  const counts = PAGE_SIZES.slice(1).map((size) => [size, stats[`pages_${size?.toLowerCase()}`] ?? 0]);
  return Object.fromEntries(counts);
}

function memslotOf(slot: Memslot): ReplayMemslot {
  const { gpa, bytes, hva, backing } = slot;
  const flags =
    (slot.dirtyLogging ? MEMSLOT_FLAGS.logDirty : 0) + (slot.readonly ? MEMSLOT_FLAGS.readonly : 0);
  return {
    slot: slotOf(slot),
    gpa: formatGpa(gpa),
    size: formatGpa(bytes),
    flags,
    hva: formatGpa(hva),
    backing,
  };
}

function slotOf({ asId, id }: Memslot): number {
  return asId * ID_STEP + id;
}
