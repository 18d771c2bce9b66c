/**
 * The result of a replay: its shape, and how it is put together.
 *
 * Plain data. The batch size shows in `timing` and nowhere else.
 * It must not run anything.
 */
import { formatGpa, type PageSize } from "./address.js";
import { type Flavour, type HostOptions, type ResolvedVmConfig, unusual } from "./config.js";
import { ID_STEP, MEMSLOT_FLAGS } from "./memslot-numbers.js";
import type { Memslot } from "./memslots.js";
import type { MetricFields } from "./metrics/metric.js";
import { buildInfo } from "./native/build-info.js";
import type { Compression } from "./trace/compression.js";
import type { Guess } from "./trace/infer-memslots.js";
import { learntGuesses } from "./trace/learnt-guesses.js";
import type { Trace } from "./trace/trace.js";
import type { TraceGap } from "./trace/trace-format.js";
import { VERSION } from "./version.js";
import type { Vm } from "./vm.js";
import type { DirtyRounds, Flushes, LeafCounts, Tables, Violation } from "./vm-queries.js";

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
export interface ReplayConfig
  extends Pick<
    ResolvedVmConfig,
    "flushProvider" | "tlb" | "internalSlots" | "guestPaging" | "externalTables" | "convertOnExit" | "kernel"
  > {
  readonly alias: { readonly strategy: string; readonly preset: string; readonly bits: readonly number[] };
  readonly mmu: Flavour;
  /** How the host is set up, where that is not as usual. */
  readonly host: HostOptions;
  readonly addressBits: number;
  readonly rootLevel: number;
  readonly hostMaxphyaddr: number;
  readonly vcpus: number;
  /** Page size that all slots are backed with; absent if they differ. */
  readonly backing?: PageSize;
  /** How accesses went to aliases: `as-recorded`, `home`, or a projection. */
  readonly project: string;
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
  /** Whether every event is there: `lossy` if the recorder says that it dropped some. */
  readonly verdict: "complete" | "lossy";
  /** Events that the recorder dropped. */
  readonly lost: number;
  /** Where they are missing; the first hundred places. */
  readonly gaps: readonly TraceGap[];
  /** Events that are older than the one before them, as where recordings were joined. */
  readonly backwards: number;
  /** Before which events that was; the first hundred. */
  readonly backwardsAt: readonly number[];
};

/** A rule that fired during the VM's life. */
export interface ReplayViolation extends Omit<Violation, "gpa"> {
  /** As the first event issued it. */
  readonly gpa: string;
}

export interface ReplayTiming {
  readonly wallNs: number;
  readonly eventsPerSecond: number;
  /** Threads that could be at work at once. */
  readonly threads: number;
  /** The vectors that runs of hits were compiled for: `avx512`, `avx2` or `portable`. */
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
  readonly flush: Flushes;
  /** Dirty-log rounds of this replay. */
  readonly dirtyRounds: DirtyRounds;
  /** Pages set in each logged slot's dirty bitmap at the end, by slot. */
  readonly dirty: Readonly<Record<string, number>>;
  /** Pages that changed their attribute while hardware still reached them through the other alias. */
  readonly coexisting: number;
  /** Pages that `convertOnExit` converted. */
  readonly conversionsOnExit: number;
  readonly violations: readonly ReplayViolation[];
  /** What is not wrong and could be cheaper. */
  readonly advisories: readonly ReplayViolation[];
  /** Every rule that could have fired, advisories too, by name. */
  readonly judged: readonly string[];
  readonly timing: ReplayTiming;
}

/** The run's configuration. Taken before the first event, when flags are as asked for. */
export function configOf(vm: Vm, project: string, guesses: readonly Guess[]): ReplayConfig {
  const slots = [...vm.memslots];
  const sizes = new Set(slots.map(({ backing }) => backing));
  const { alias, arenaBytes: _, host, ...asked } = vm.config;
  return {
    alias: { ...alias, bits: vm.preset.bits },
    ...asked,
    host: unusual(host),
    project,
    ...(sizes.size === 1 && { backing: [...sizes][0] as PageSize }),
    dirtyLog: slots.some(({ dirtyLogging }) => dirtyLogging) ? "on" : "off",
    memslots: slots.map(memslotOf),
    guesses,
  };
}

/** What the trace was, once it has been read. */
export async function inputOf(trace: Trace, fields: MetricFields["input"]): Promise<ReplayInput> {
  const { source: path, format, compression } = trace;
  const sha256 = await trace.sha256();
  const stored = { path, format, compression, ...(sha256 !== undefined && { sha256 }) };
  return { ...stored, ...fields, ...accountOf(trace) };
}

/** With what only reading the trace has shown. */
export function withLearnt(config: ReplayConfig, trace: Trace): ReplayConfig {
  return { ...config, guesses: [...config.guesses, ...learntGuesses(trace.totals)] };
}

/** What was passed over, and what is missing. */
export function accountOf({
  totals,
}: Trace): Pick<ReplayInput, "skipped" | "verdict" | "lost" | "gaps" | "backwards" | "backwardsAt"> {
  const { skipped, lost, gaps, backwards, backwardsAt } = totals;
  return { skipped, verdict: lost > 0 ? "lossy" : "complete", lost, gaps, backwards, backwardsAt };
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

/** What a result has beside the VM's state and the metrics. */
export interface ReplayFacts {
  readonly input: ReplayInput;
  readonly dirtyRounds: DirtyRounds;
  readonly wallNs: number;
  readonly threads: number;
  readonly batch: number;
}

/** The result, once the VM has taken the whole trace. */
export function resultOf(vm: Vm, config: ReplayConfig, fields: MetricFields, facts: ReplayFacts): Replay {
  const { input, dirtyRounds, ...timing } = facts;
  const stats = vm.stats();
  return {
    schemaVersion: 1,
    run: `${config.alias.strategy}/${config.mmu}`,
    engine: { version: VERSION },
    input,
    config,
    outcomes: fields.outcomes,
    stats,
    tables: vm.tables(),
    leaves: Object.fromEntries(vm.leafCounts().map(leavesOf)),
    flush: vm.flushes(),
    flushScopes: fields.flushScopes,
    dirty: dirtyOf(vm),
    operations: fields.operations,
    dirtyRounds,
    coexisting: vm.coexisting,
    conversionsOnExit: vm.conversionsOnExit,
    violations: vm.violations().map(violationOf),
    advisories: vm.advisories().map(violationOf),
    judged: vm.judged(),
    timing: timingOf(input.events, timing),
  };
}

function dirtyOf(vm: Vm): Record<string, number> {
  const logged = [...vm.memslots].filter(({ dirtyLogging }) => dirtyLogging);
  return Object.fromEntries(logged.map((slot) => [String(slotOf(slot)), slot.dirtyPages]));
}

function leavesOf({ offset, counts }: LeafCounts): [string, Record<PageSize, number>] {
  const [, small = 0, large = 0, huge = 0] = counts;
  return [formatGpa(offset), { "4K": small, "2M": large, "1G": huge }];
}

function violationOf({ rule, defect, count, firstEvent, gpa, reason }: Violation): ReplayViolation {
  return { rule, defect, count, firstEvent, gpa: formatGpa(gpa), reason };
}

function timingOf(
  events: number,
  { wallNs, threads, batch }: Pick<ReplayFacts, "wallNs" | "threads" | "batch">,
): ReplayTiming {
  const path = String(buildInfo()["replayPath"]);
  return { wallNs, eventsPerSecond: (events / wallNs) * 1e9, threads, path, batch };
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
