/** `gpalias witness`: the shortest way to a violation of a trace. */
import type { NoWitness, WitnessOptions, WitnessReport } from "../../index.js";
import { type Context, defineCommand, type OptionDefinition } from "../command.js";
import { EXIT, type ExitCode, UsageError } from "../exit-codes.js";
import { withTrace } from "../input.js";
import { durationIn } from "../numbers.js";
import { json, type Output, openOutput, withOutput } from "../output.js";
import { startProgress } from "../progress.js";
import { inWordsOfOptions, planOptionsOf, type RunOptions, vmConfigOf, vmOptions } from "../run-options.js";
import { allRuns, runsCalled } from "../runs.js";

interface Options extends RunOptions {
  readonly run: string;
  readonly rule?: string;
  readonly budget?: number;
  readonly out?: string;
  readonly exportTest?: string;
}

const own: readonly OptionDefinition[] = [
  {
    flags: "--run <strategy/flavour>",
    summary:
      "whose violation: a run that gpalias strategies lists; a strategy alone is one under tdp, if it can be",
    default: "none/tdp",
  },
  { flags: "--rule <id>", summary: "which rule (default: the first violation, whatever its rule)" },
  {
    flags: "--budget <time>",
    summary: "most time for it, as in 90s, 2m or 1h; the shortest so far is taken then (default: 2m)",
    parse: durationIn,
  },
  {
    flags: "--out <file>",
    summary: "write the events there as a trace that replays, and its memslots beside it",
  },
  { flags: "--export-test <file>", summary: "write a test case for vitest there" },
];

const results: readonly OptionDefinition[] = [
  { flags: "--json", summary: "print the witness as one JSON document" },
  { flags: "-q, --quiet", summary: "no progress and no remarks on stderr" },
];

export default defineCommand<Options>({
  name: "witness",
  summary: "find the shortest sequence of a trace's events that still breaks a rule",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: [...own, ...vmOptions(), ...results],
  examples: [
    {
      line: "gpalias witness storm.bin --run stolen-bits/tdp --alias bits:47 --project churn:3,1 --tlb --flush-provider fail:2",
      says: "how a failed range flush comes to be a stale translation, in a few events",
    },
    {
      line: "gpalias witness fs.faults.bin.br --run v5-as-posted/tdp --alias tdx47 --rule alias-stuck --out stuck.bin",
      says: "one rule, and a trace to replay it with",
    },
  ],
  run: async (context, [source = "-"], options) => {
    const { renderWitness } = await context.library();
    return withFiles(context, options, async (files) => {
      const result = await withTrace(
        context,
        source,
        { twice: true, hash: false, vendor: options.vendor },
        async (trace, name) => named(await inWordsOfOptions(search(context, trace, options)), name),
      );
      const command = await files(result);
      await context.terminal.print(
        options.json ? json(result) : await renderWitness(result, context.terminal),
      );
      if (command !== undefined && !options.quiet)
        context.terminal.say(`gpalias: replay it with: ${command}`);
      return statusOf(context, result, options);
    });
  },
});

type Result = WitnessReport | NoWitness;
type Trace = Parameters<Awaited<ReturnType<Context["library"]>>["witness"]>[0];

async function search(context: Context, trace: Trace, options: Options): Promise<Result> {
  const { witness } = await context.library();
  const progress = await startProgress(context.terminal, "witness", { quiet: options.quiet });
  const asked: WitnessOptions = {
    ...(await planOptionsOf(context, options, {
      ...vmConfigOf(options),
      ...(await runOf(context, options)),
    })),
    ...(options.rule !== undefined && { rule: options.rule }),
    ...(options.audit !== undefined && { audit: options.audit }),
    ...(options.budget !== undefined && { budgetMs: options.budget }),
    onProgress: ({ events, share }) => progress.update(events, share),
  };
  return witness(trace, asked).finally(() => progress.stop());
}

async function runOf({ library }: Context, { run, alias }: Options): Promise<WitnessOptions["config"]> {
  const [{ strategy, mmu }] = runsCalled(run, allRuns(await library()));
  return { alias: { preset: alias, strategy }, mmu };
}

/** A stream is kept in a file whose name nobody knows. */
function named(result: Result, path: string): Result {
  if (!result.found) return { ...result, path };
  return { ...result, ...(result.trace && { trace: { ...result.trace, path } }) };
}

/**
 * Opens what is to be written before anything is searched, so that a file that cannot be is said at once, and fills it
 * with what was found. The answer is the command that replays it.
 */
async function withFiles<T>(
  context: Context,
  { out, exportTest }: Options,
  use: (fill: (result: Result) => Promise<string | undefined>) => Promise<T>,
): Promise<T> {
  expectFiles(out, exportTest);
  const { witnessFiles, witnessTest } = await context.library();
  const open = async (path: string | undefined) => path && (await openOutput(path, context.terminal));
  const [trace, test] = [await open(out), await open(exportTest)];
  try {
    return await use(async (result) => {
      if (!result.found) return undefined;
      if (test) await finish(test, witnessTest(result));
      if (!trace || out === undefined) return undefined;
      const files = await witnessFiles(result, out);
      await finish(trace, files.trace);
      await withOutput(files.memslots.path, context.terminal, (file) => file.write(files.memslots.text));
      return files.command;
    });
  } finally {
    if (trace) await trace.discard();
    if (test) await test.discard();
  }
}

async function finish(file: Output, data: string | Uint8Array): Promise<void> {
  await file.write(data);
  await file.commit();
}

function expectFiles(out: string | undefined, exportTest: string | undefined): void {
  if (out === "-" || exportTest === "-")
    throw new UsageError("--out and --export-test name files; stdout has the text");
  if (out !== undefined && out === exportTest)
    throw new UsageError("--out and --export-test name the same file");
}

function statusOf({ terminal }: Context, result: Result, { quiet }: Options): ExitCode {
  if (!result.found) return EXIT.failed;
  if (!result.minimal && !quiet) terminal.say("gpalias: it may not be the shortest: more --budget goes on");
  return EXIT.ok;
}
