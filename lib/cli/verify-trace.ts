/** `gpalias verify trace`: a recording of tracepoints held to itself and to the model. */
import type { HostFacts, Severity, TraceVerification, VerifyTraceOptions } from "../index.js";
import type { CommonOptions, Context } from "./command.js";
import { EXIT, type ExitCode, UsageError } from "./exit-codes.js";
import { withFile } from "./input.js";
import { json } from "./output.js";
import { startProgress } from "./progress.js";

export interface TraceOptions extends CommonOptions {
  readonly alias?: string;
  /** False for `--no-model`. */
  readonly model?: boolean;
  readonly host?: HostFacts;
  readonly failOn?: Severity;
}

/** Least first. */
export const SEVERITIES: readonly Severity[] = ["note", "warning", "error"];

export async function runVerifyTrace(
  context: Context,
  file: string,
  options: TraceOptions,
): Promise<ExitCode> {
  const { terminal, library } = context;
  const { renderTraceVerification } = await library();
  const result = await withFile(context, file, (path, name) => verify(context, path, name, options));
  await terminal.print(options.json ? json(result) : renderTraceVerification(result, terminal));
  const status = statusOf(result, options.failOn ?? "warning");
  const remark = remarkOn(result, status);
  if (!options.quiet && remark !== undefined) terminal.say(`gpalias: ${remark} (exit ${status})`);
  return status;
}

async function verify(
  { library, signal, terminal }: Context,
  path: string,
  name: string,
  { alias, model, host, quiet }: TraceOptions,
): Promise<TraceVerification> {
  const { verifyTrace } = await library();
  const progress = await startProgress(terminal, "verifying", { quiet, unit: "lines" });
  const given: VerifyTraceOptions = {
    signal,
    onProgress: progress.update,
    ...(alias !== undefined && { alias }),
    // On unless the trace has nothing to replay; asked for by nobody.
    ...(model === false && { model }),
    ...(host !== undefined && { host }),
  };
  try {
    return { ...(await verifyTrace(path, given)), source: name };
  } finally {
    progress.stop();
  }
}

function statusOf({ findings, lost, checks, model }: TraceVerification, failOn: Severity): ExitCode {
  const least = SEVERITIES.indexOf(failOn);
  if (findings.some(({ severity }) => SEVERITIES.indexOf(severity) >= least)) return EXIT.failed;
  if (lost > 0) return EXIT.input;
  const isJudged = model !== null || checks.some(({ notChecked }) => notChecked === null);
  return isJudged ? EXIT.ok : EXIT.unsupported;
}

function remarkOn({ findings, lost }: TraceVerification, status: ExitCode): string | undefined {
  if (status === EXIT.failed) {
    const lines = new Set(findings.map(({ line }) => line)).size;
    return `${lines} ${lines === 1 ? "line is" : "lines are"} suspicious, first line ${findings[0]?.line}`;
  }
  if (status === EXIT.input) return `the recorder lost ${lost} events; what they changed is not known`;
  if (status === EXIT.unsupported) return "nothing was verified: no line is one that a check can judge";
  return undefined;
}

const ON: Readonly<Record<string, boolean>> = { on: true, off: false };
const FLAGS = ["pml", "adBits", "nxHugePages", "l1tf"] as const;
const WORDS: Readonly<Record<string, readonly string[]>> = {
  vendor: ["intel", "amd"],
  release: ["6.16", "6.1", "5.10"],
};
const WIDTHS: Readonly<Record<string, readonly [low: number, high: number]>> = {
  maxphyaddr: [36, 52],
  rootLevel: [4, 5],
};

/** `pml=on,maxphyaddr=46`. */
export function hostFacts(text: string): HostFacts {
  const pairs = text.split(",").map((pair): [string, unknown] => {
    const [name = "", value = ""] = pair.split("=");
    return [name, valueIn(name, value)];
  });
  return Object.fromEntries(pairs);
}

function valueIn(name: string, value: string): string | number | boolean {
  const words = WORDS[name];
  if (words !== undefined) return oneOf(name, value, words);
  const range = WIDTHS[name];
  if (range !== undefined) return between(name, value, range);
  if (!(FLAGS as readonly string[]).includes(name)) {
    const all = [...FLAGS, ...Object.keys(WORDS), ...Object.keys(WIDTHS)].join(", ");
    throw new UsageError(`expected properties among ${all}, got "${name}"`);
  }
  return ON[oneOf(name, value, Object.keys(ON))] as boolean;
}

function oneOf(name: string, value: string, words: readonly string[]): string {
  if (words.includes(value)) return value;
  throw new UsageError(`expected ${name} to be ${words.join(" or ")}, got "${value}"`);
}

function between(name: string, value: string, [low, high]: readonly [number, number]): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw new UsageError(`expected ${name} to be from ${low} to ${high}, got "${value}"`);
}
