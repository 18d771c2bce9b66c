/** Holds a recording of KVM's tracepoints to itself, and to the model. */

import { expectKeys } from "../expect.js";
import { loadAddon } from "../native/addon.js";
import { aliasPreset, createVm } from "../vm.js";
import type { Finding } from "./check.js";
import { type EntryFormat, entryFormat } from "./entry.js";
import { FormatVotes, type Guess } from "./guess-format.js";
import type { Line } from "./line.js";
import { type Followed, follow } from "./model/follow.js";
import { guessHost, type HostFacts, vmConfigOf, withFacts } from "./model/host.js";
import { type ReadTotals, readLines } from "./read-lines.js";
import { observedChecks } from "./registry.js";
import { linesAt, type RecordedText, textInMemory, textOfFile } from "./source.js";
import { textReader } from "./text-lines.js";
import type {
  ModelComparison,
  QuotedLine,
  TraceFinding,
  TraceVerification,
  VerifyTraceOptions,
} from "./types.js";
import { Observation } from "./watch.js";

export type * from "./types.js";

const KEYS = ["alias", "model", "host", "signal", "onProgress"];
/** Lines that the model is asked about; more do not fit in memory with it. */
const MOST_FOR_MODEL = 1_000_000;
/** Findings whose lines are quoted. */
const MOST_QUOTED = 50;

/**
 * Reads the text of KVM's tracepoints and says what in it cannot have happened: whatever a line says that others
 * contradict, and, where causes are recorded too, what the model would have printed instead.
 *
 * @param source a path, or the text itself in an object
 * @throws TraceError if it is no such text; TypeError or RangeError `ERR_CONFIG`; the system's error
 */
export async function verifyTrace(
  source: string | { readonly text: string },
  options: VerifyTraceOptions = {},
): Promise<TraceVerification> {
  expectKeys("verifyTrace", options, KEYS);
  const text = typeof source === "string" ? await textOfFile(source) : textInMemory(source.text);
  const survey = await surveyOf(text, options);
  const format = formatOf(survey.votes.guess(), options.host);
  const noModel = whyNoModel(survey, options);
  const keeps = noModel === null;
  const { observation, checks, kept } = await observed(text, survey, format.value, { ...options, keeps });
  const followed = noModel === null ? followedBy(kept, format, options.host ?? {}) : undefined;
  const findings = [...observation.findings, ...modelFindings(followed)].sort((a, b) => a.line - b.line);
  return {
    schemaVersion: 1,
    source: text.name,
    lines: survey.totals.lines,
    events: survey.totals.byEvent,
    skipped: survey.totals.skipped,
    malformed: survey.totals.malformed,
    lost: survey.lost,
    gaps: survey.gaps,
    entries: {
      value: `${format.value.vendor} of ${format.value.release}`,
      confidence: format.confidence,
      why: format.why,
    },
    checks,
    findings: await quoted(text, findings, options.signal),
    model: followed === undefined ? null : comparisonOf(followed),
    noModel,
  };
}

interface Survey {
  readonly totals: ReadTotals;
  readonly votes: FormatVotes;
  readonly has: ReadonlySet<Line["event"]>;
  readonly lost: number;
  readonly gaps: number;
  readonly ofInterest: number;
}

async function surveyOf(text: RecordedText, { signal, onProgress }: VerifyTraceOptions): Promise<Survey> {
  const votes = new FormatVotes();
  const has = new Set<Line["event"]>();
  const seen = { lost: 0, gaps: 0, ofInterest: 0 };
  const take = (line: Line): void => {
    votes.add(line);
    has.add(line.event);
    seen.ofInterest++;
    if (line.event === "gap" || line.event === "omitted") seen.gaps++;
    if (line.event === "gap") seen.lost += line.lost ?? 0;
  };
  const totals = await readLines(loadAddon(), text, take, {
    signal,
    onProgress: onProgress && ((lines, bytes) => onProgress(lines, Math.min(0.5, bytes / text.bytes / 2))),
  });
  return { totals, votes, has, ...seen };
}

function formatOf(guess: Guess<EntryFormat>, { vendor, release }: HostFacts = {}): Guess<EntryFormat> {
  if (vendor === undefined && release === undefined) return guess;
  const tables = vendor === undefined ? guess.value.vendor : vendor === "intel" ? "ept" : "npt";
  return {
    value: entryFormat(tables, release ?? guess.value.release),
    confidence: "given",
    why: "it was said",
  };
}

async function observed(
  text: RecordedText,
  { has, totals }: Survey,
  format: EntryFormat,
  options: VerifyTraceOptions & { readonly keeps: boolean },
) {
  const observation = new Observation(await observedChecks(), {
    format,
    has,
    aliasFrames: aliasFramesOf(options),
  });
  const kept: Line[] = [];
  const { signal, onProgress, keeps } = options;
  await readLines(
    loadAddon(),
    text,
    (line) => {
      observation.line(line);
      if (keeps) kept.push(line);
    },
    { signal, onProgress: onProgress && ((lines) => onProgress(lines, 0.5 + lines / totals.lines / 2)) },
  );
  return { observation, checks: observation.end(), kept };
}

/** Alias bits of a gpa as bits of a frame number. */
function aliasFramesOf({ alias = "none" }: VerifyTraceOptions): number {
  return aliasPreset(alias).bits.reduce((sum, bit) => sum + 2 ** (bit - 12), 0);
}

function whyNoModel({ has, ofInterest }: Survey, { model }: VerifyTraceOptions): string | null {
  if (model === false) return "it was not to be asked";
  if (!has.has("fault")) return "the trace has no kvm_page_fault, so there is nothing to replay";
  if (!has.has("changed")) return "the trace has no kvm_tdp_mmu_spte_changed to compare";
  if (ofInterest > MOST_FOR_MODEL) return `the trace has more than ${MOST_FOR_MODEL} lines about entries`;
  return null;
}

function followedBy(lines: readonly Line[], format: Guess<EntryFormat>, facts: HostFacts): Followed {
  const host = withFacts(guessHost(format, lines), facts);
  const vcpus =
    lines.reduce((most, line) => (line.event === "fault" ? Math.max(most, line.vcpu ?? 0) : most), 0) + 1;
  return follow({
    lines,
    host,
    format: format.value,
    makeVm: () => createVm(vmConfigOf(host, vcpus)),
    read: textReader(loadAddon()),
  });
}

function modelFindings(followed: Followed | undefined): Finding[] {
  if (followed?.difference == null) return [];
  const { line, deed, recorded, model, why } = followed.difference;
  const said = `${deed}: ${why}`;
  const sides = `recorded: ${recorded ?? "nothing"}; model: ${model ?? "nothing"}`;
  return [
    { check: "model", severity: "error", confidence: "medium", line, others: [], why: `${said} (${sides})` },
  ];
}

function comparisonOf({ host, steps, agreed, setAside, difference, stopped }: Followed): ModelComparison {
  const side = (text: string | undefined) => text ?? null;
  return {
    host,
    steps,
    agreed,
    setAside,
    difference: difference && {
      line: difference.line,
      deed: difference.deed,
      recorded: side(difference.recorded),
      model: side(difference.model),
      why: difference.why,
    },
    stopped,
  };
}

async function quoted(
  text: RecordedText,
  findings: readonly Finding[],
  signal: AbortSignal | undefined,
): Promise<TraceFinding[]> {
  const near = findings.map(({ line, others }, at) => (at < MOST_QUOTED ? nearby(line, others) : []));
  const wanted = new Set(near.flat());
  const words = wanted.size === 0 ? new Map<number, string>() : await linesAt(text, wanted, signal);
  const quote = (line: number): QuotedLine[] => {
    const said = words.get(line);
    return said === undefined ? [] : [{ line, text: said }];
  };
  return findings.map(({ check, severity, confidence, line, why }, at) => ({
    check,
    severity,
    confidence,
    line,
    why,
    context: (near[at] as number[]).flatMap(quote),
  }));
}

function nearby(line: number, others: readonly number[]): number[] {
  const all = new Set([...others, line - 1, line, line + 1].filter((number) => number > 0));
  return [...all].sort((a, b) => a - b);
}
