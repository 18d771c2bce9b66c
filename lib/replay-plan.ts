/**
 * What a replay needs to know and a trace does not say: memslots, vCPUs,
 * address width, dirty logging.
 *
 * Each is taken from the caller, from the file beside the capture, or from a
 * look at the trace, in this order; what was concluded is reported as a guess.
 * A plan is data; it must not create anything before it is told to.
 */
import type { PageSize } from "./address.js";
import type { VmConfig } from "./config.js";
import { MmuError } from "./errors.js";
import { expectKeys, expectOneOf, outOfRange } from "./expect.js";
import type { MemslotSpec } from "./memslots.js";
import { chooseProjection } from "./replay-projection.js";
import { type Capture, findCapture, readMemslots } from "./trace/capture-json.js";
import { scanForDirtyRounds } from "./trace/dirty-log-scan.js";
import { inferAliases } from "./trace/infer-aliases.js";
import { type Guess, inferMemslots } from "./trace/infer-memslots.js";
import { type Survey, surveyTrace } from "./trace/survey-trace.js";
import type { Trace } from "./trace/trace.js";
import { aliasPreset, type Vm } from "./vm.js";

export interface PlanOptions {
  /** `auto`, a memslot file, or the memslots themselves. @default "auto" */
  readonly memslots?: string | readonly MemslotSpec[];
  /** Logging of every writable slot from the start; `auto`: if the trace has dirty-log rounds. @default "auto" */
  readonly dirtyLog?: "auto" | "on" | "off";
  /** How accesses go to aliases, as `replay` has it. @default "auto" */
  readonly project?: string;
  /** Backing of slots that name none. @default "4K" */
  readonly backing?: PageSize;
  /** What is asked of the VM; the plan adds `vcpus` and `addressBits` if they are missing. @default {} */
  readonly config?: VmConfig;
  readonly signal?: AbortSignal | undefined;
}

/** How to set up a VM for a trace. */
export interface ReplayPlan {
  readonly config: VmConfig;
  readonly memslots: readonly MemslotSpec[];
  readonly dirtyLog: boolean;
  /** To be handed to `replay`: `as-recorded`, `home`, or a projection. */
  readonly project: string;
  /** To be handed to `replay`, which reports them. */
  readonly guesses: readonly Guess[];
}

const OPTION_KEYS = ["memslots", "dirtyLog", "project", "backing", "config", "signal"] as const;
const DIRTY_LOG = ["auto", "on", "off"] as const;
/** For a stream that cannot be looked at first: as many as the vcpu column can name. */
const ALL_VCPUS = 65_536;
const DEFAULT_ADDRESSES = 2 ** 48;

/**
 * Decides how to set up a VM for a trace. Reads the trace only if neither the
 * caller nor a capture's `.json` has the answer.
 *
 * @throws (rejects) MmuError `ERR_BUSY` if a stream would have to be looked at
 * first; TypeError or RangeError with code `ERR_CONFIG` for a bad option, for
 * `config.vcpus` that are fewer than the trace is known to have, or for a
 * projection where there are no aliases; TraceError for a bad memslot file
 * @example
 * const plan = await planReplay(trace);
 * using vm = createVm(plan.config);
 * applyPlan(vm, plan);
 * const { project, guesses } = plan;
 * const result = await replay(vm, trace, { project, guesses });
 */
export async function planReplay(trace: Trace, options: PlanOptions = {}): Promise<ReplayPlan> {
  expectKeys("planReplay", options, OPTION_KEYS);
  const facts = await gather(trace, options);
  const { memslots, guesses } = await memslotsFor(facts, options);
  const dirtyLog = await dirtyLogFor(trace, facts, options);
  const widths = widthsFor(trace, facts, memslots, options.config ?? {});
  const backing = options.backing ?? "4K";
  return {
    config: { ...widths.config, ...options.config },
    memslots: memslots.map((slot) => ({ backing, ...slot })),
    dirtyLog: dirtyLog.on,
    project: await projectFor(trace, options),
    guesses: [...guesses, ...aliasesFor(facts, options), ...widths.guesses, ...dirtyLog.guesses],
  };
}

/** Gives a new VM the memslots of a plan, logged if it says so. */
export function applyPlan(vm: Vm, plan: ReplayPlan): void {
  for (const slot of plan.memslots) {
    const logged = slot.dirtyLog === true || (plan.dirtyLog && slot.readonly !== true);
    vm.memslots.add({ ...slot, dirtyLog: logged });
  }
}

interface Facts {
  readonly capture: Capture | undefined;
  readonly survey: Survey | undefined;
}

async function gather(trace: Trace, options: PlanOptions): Promise<Facts> {
  const { memslots = "auto", config = {}, signal } = options;
  const capture = memslots === "auto" ? await findCapture(trace.path) : undefined;
  const lacksSlots = memslots === "auto" && capture === undefined;
  // How many there are shows in the result: each of them is kicked by a flush.
  const lacksVcpus = (config.vcpus ?? capture?.vcpus) === undefined;
  if (lacksSlots && !trace.rewindable) throw needs(trace, "memslots");
  if (lacksVcpus && !trace.rewindable && (config.tlb ?? false) !== false) throw needs(trace, "vcpus");
  const looks = lacksSlots || (lacksVcpus && trace.rewindable);
  return { capture, survey: looks ? await surveyTrace(trace, signal) : undefined };
}

async function memslotsFor(
  { capture, survey }: Facts,
  { memslots = "auto" }: PlanOptions,
): Promise<{ memslots: readonly MemslotSpec[]; guesses: readonly Guess[] }> {
  if (memslots === "auto" && survey !== undefined && capture === undefined) return inferMemslots(survey);
  if (capture !== undefined) return { memslots: capture.memslots, guesses: [fromCapture(capture)] };
  if (typeof memslots === "string") return { memslots: await readMemslots(memslots), guesses: [] };
  return { memslots, guesses: [] };
}

async function dirtyLogFor(
  trace: Trace,
  { capture, survey }: Facts,
  { dirtyLog = "auto", signal }: PlanOptions,
): Promise<{ on: boolean; guesses: readonly Guess[] }> {
  expectOneOf("dirtyLog", dirtyLog, DIRTY_LOG);
  if (dirtyLog !== "auto") return { on: dirtyLog === "on", guesses: [] };
  const counted = (survey && unannounced(survey)) ?? capture?.dirtyRounds;
  if (counted === undefined && trace.hasOperations && !trace.rewindable) throw needs(trace, "dirtyLog");
  const isKnown = counted !== undefined || !trace.hasOperations;
  const on = trace.hasOperations && (isKnown ? (counted ?? 0) > 0 : await scanForDirtyRounds(trace, signal));
  const why = on ? "the trace has dirty-log rounds" : "the trace has no dirty-log round";
  return { on, guesses: [{ what: "dirtyLog", value: on ? "on" : "off", confidence: 1, why }] };
}

/** Dirty-log rounds, unless the trace says itself when logging begins. */
function unannounced({ byKind }: Survey): number {
  return byKind["dirty-log-enable"] === undefined ? (byKind["dirty-log-get"] ?? 0) : 0;
}

function widthsFor(
  { rewindable }: Trace,
  { capture, survey }: Facts,
  memslots: readonly MemslotSpec[],
  asked: VmConfig,
): { config: VmConfig; guesses: readonly Guess[] } {
  const known = survey?.vcpus ?? capture?.vcpus;
  expectRoom(asked.vcpus, known);
  const vcpus = known === undefined ? ALL_VCPUS : Math.max(known, 1);
  const counted = capture === undefined ? vcpuGuess({ capture, survey }, asked) : [];
  const isWideSlot = memslots.some(({ gpa, bytes }) => gpa + bytes > DEFAULT_ADDRESSES);
  const isWide = isWideSlot || (survey?.highestGpa ?? 0) >= DEFAULT_ADDRESSES;
  const isFixed = asked.addressBits !== undefined || aliasPreset(asked.alias?.preset).addressBits > 0;
  if (!isWide || isFixed || !(rewindable || isWideSlot))
    return { config: { vcpus }, guesses: [...counted, ...roomFor(known ?? asked.vcpus)] };
  const why = `${isWideSlot ? "a memslot" : "an address of the trace"} does not fit into 48 bits`;
  const guess = { what: "addressBits", value: 52, confidence: 0.8, why };
  return { config: { vcpus, addressBits: 52 }, guesses: [...counted, guess] };
}

/** Bits that nobody said are only shown: what they mean is not in a trace. */
function aliasesFor({ survey }: Facts, { config = {} }: PlanOptions): readonly Guess[] {
  const isSaid = (config.alias?.preset ?? "none") !== "none";
  return survey === undefined || isSaid ? [] : inferAliases(survey.touched);
}

/** Vacant vCPUs leave no event, so there may be more. */
function vcpuGuess({ survey }: Facts, { vcpus }: VmConfig): readonly Guess[] {
  if (survey === undefined || vcpus !== undefined || survey.vcpus === 0) return [];
  const why = `the highest vCPU with an event is ${survey.vcpus - 1}; --vcpus says another`;
  return [{ what: "vcpus", value: survey.vcpus, confidence: 0.9, why }];
}

async function projectFor(trace: Trace, { config = {}, project, signal }: PlanOptions): Promise<string> {
  const { strategy = "none", preset } = config.alias ?? {};
  return chooseProjection(trace, { strategy, preset: aliasPreset(preset) }, project, signal);
}

function roomFor(told: number | undefined): readonly Guess[] {
  if (told !== undefined) return [];
  const why = "the trace can be read only once, so there is room for any; flushes count them all";
  return [{ what: "vcpus", value: ALL_VCPUS, confidence: 0.1, why }];
}

// Better said now than at the first event of that vCPU, an hour into the replay.
function expectRoom(vcpus: number | undefined, known: number | undefined): void {
  if (vcpus === undefined || known === undefined || !(vcpus < known)) return;
  throw outOfRange("vcpus", `at least ${known}, as the trace has events of vCPU ${known - 1}`, vcpus);
}

function fromCapture({ path, memslots }: Capture): Guess {
  const why = `it lies beside the trace and lists ${memslots.length} memslots`;
  return { what: "memslots", value: path, confidence: 1, why };
}

function needs(trace: Trace, option: string): MmuError {
  const message = `${trace.source} can be read only once, so ${option} cannot be found out from it: say it`;
  return new MmuError("ERR_BUSY", message);
}
