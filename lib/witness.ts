/**
 * The shortest way to a violation of a trace: a witness that can be read,
 * replayed, and kept as a test.
 *
 * It is short by a proof and not by luck: nothing in it can be left out one at
 * a time. It is no proof that there is no shorter one.
 */
import { expectAuditPeriod } from "./audited.js";
import { MmuError } from "./errors.js";
import { expectInteger, expectKeys, expectOneOf } from "./expect.js";
import { rules } from "./native/build-info.js";
import { applyPlan, type PlanOptions, planReplay } from "./replay-plan.js";
import type { Trace } from "./trace/trace.js";
import { createVm } from "./vm.js";
import { findViolation, type Search } from "./witness/find.js";
import { asRefusal, Pace, type WitnessProgress } from "./witness/pace.js";
import type { NoWitness, WitnessReport } from "./witness/report.js";
import { shorten } from "./witness/shorten.js";
import { slotStepsOf } from "./witness/story.js";
import { tell } from "./witness/tell.js";

export interface WitnessOptions extends PlanOptions {
  /** Id of the rule, an advisory too. @default the first that says that something is wrong */
  readonly rule?: string;
  /** Audits after every so many events, 0: only at the end; without it structural rules cannot fire. @default no audit */
  readonly audit?: number;
  /** Milliseconds after which the best so far is taken: 1 to 2^31. @default 120,000 */
  readonly budgetMs?: number;
  /** Called at most some twenty times a second. */
  readonly onProgress?: (progress: WitnessProgress) => void;
}

const KEYS = [
  ...["memslots", "dirtyLog", "project", "backing", "config", "signal"],
  ...["rule", "audit", "budgetMs", "onProgress"],
];
const TWO_MINUTES = 120_000;

/**
 * Finds the shortest sequence of events of a trace that still breaks a rule which the trace breaks, with the fewest
 * slots and vCPUs and the plainest configuration.
 *
 * What it costs: the trace is read two times, or three; of what is near the violation's page every event is kept, and
 * only if that does not show it all up to the violation, at 20 bytes each.
 *
 * @param options of the VM as `planReplay` takes them
 * @throws (rejects) as `planReplay` and `replay` do; RangeError with code `ERR_CONFIG` for a rule that does not exist;
 * MmuError `ERR_ABORTED` if the signal or the budget ended it before there was anything to show, `ERR_BUSY` for a trace
 * that can be read only once
 * @example
 * const shortest = await witness(trace, { config: { alias: { strategy: "stolen-bits", preset: "bits:47" }, tlb: true } });
 * if (shortest.found) console.log(renderWitness(shortest));
 */
export async function witness(
  trace: Trace,
  options: WitnessOptions = {},
): Promise<WitnessReport | NoWitness> {
  expectKeys("witness", options, KEYS);
  const { rule, audit, budgetMs = TWO_MINUTES, onProgress, ...planned } = options;
  expectOptions(trace, options);
  const started = process.hrtime.bigint();
  const pace = new Pace({ budgetMs, signal: options.signal, onProgress });
  const plan = await planReplay(trace, planned);
  using vm = createVm(plan.config);
  applyPlan(vm, plan);
  const start = { config: plan.config, slots: slotStepsOf(vm.memslots), steps: [] };
  const search: Search = { trace, start, vm, project: plan.project, rule, audit, pace };
  const result = await searched(search).catch((error: unknown) => {
    throw asRefusal(error, options.signal);
  });
  return { ...result, timing: { wallNs: Number(process.hrtime.bigint() - started) } };
}

function expectOptions(trace: Trace, { rule, audit, budgetMs = TWO_MINUTES }: WitnessOptions): void {
  expectAuditPeriod(audit);
  expectInteger("budgetMs", budgetMs, 1, 2 ** 31);
  if (rule !== undefined) {
    expectOneOf(
      "rule",
      rule,
      rules().map(({ id }) => id),
    );
  }
  if (trace.rewindable) return;
  throw new MmuError("ERR_BUSY", `${trace.source} can be read only once, and a witness needs it again`);
}

type Untimed = Omit<WitnessReport, "timing"> | Omit<NoWitness, "timing">;

async function searched(search: Search): Promise<Untimed> {
  const { trace, vm, rule, pace } = search;
  const { violation, events } = await findViolation(search);
  if (violation === undefined) {
    const { strategy } = vm.config.alias;
    return {
      schemaVersion: 1,
      found: false,
      run: `${strategy}/${vm.config.mmu}`,
      ...(rule !== undefined && { asked: rule }),
      events,
      path: trace.source,
      judged: vm.judged(),
    };
  }
  const { story, target, ended } = await shorten(search, violation);
  return {
    ...tell(story, target),
    minimal: ended === undefined,
    ...(ended !== undefined && { ended }),
    trace: { path: trace.source, firstEvent: violation.firstEvent },
    search: { probes: pace.probes, events: pace.replayed },
  };
}
