/** `gpalias compare`: a trace under every alias strategy, side by side. */
import type { Comparison, Replay, Trace } from "../../index.js";
import { type Context, defineCommand } from "../command.js";
import { withTrace } from "../input.js";
import { json, withOutput } from "../output.js";
import { withProgress } from "../progress.js";
import { withReports } from "../reports.js";
import {
  inWordsOfOptions,
  listIn,
  looksFirst,
  planOptionsOf,
  type RunOptions,
  runOptions,
  vmConfigOf,
} from "../run-options.js";
import { expectRules, statusOf } from "../verdict.js";

export default defineCommand<RunOptions>({
  name: "compare",
  summary: "run a trace under every alias strategy: what each costs, what goes wrong",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: runOptions(
    {
      flags: "--strategy <names>",
      summary: "strategies, separated by commas; gpalias strategies lists them (default: all)",
      parse: listIn,
    },
    {
      flags: "--mmu <flavour>",
      summary: "only runs of this one of KVM's MMUs (default: both)",
      choices: ["tdp", "rmap"],
    },
  ),
  examples: [
    {
      line: "gpalias compare fs.faults.bin.br --alias tdx47 --project bounce",
      says: "a TDX guest with its bounce buffer shared, under each strategy",
    },
    {
      line: "gpalias compare storm.bin --alias bits:47 --project churn:3,1 --tlb --fail-on stale-translation",
      says: "two views of each page; exit 1 if a stale TLB entry was used",
    },
  ],
  run: async (context, [source = "-"], options) => {
    await expectRules(context, options.failOn);
    const input = { twice: looksFirst(options), hash: options.hash, vendor: options.vendor };
    return withReports(context, options, (report) =>
      withTrace(context, source, input, (trace, name) =>
        withOutput(options.output, context.terminal, async (output) => {
          const compared = await inWordsOfOptions(compareTrace(context, trace, options));
          const result = withPath(compared, name);
          await report(result.runs);
          await output.write(options.json ? json(result) : await textOf(context, result, options));
          return statusOf(context, replaysOf(result), options);
        }),
      ),
    );
  },
});

async function compareTrace(context: Context, trace: Trace, options: RunOptions): Promise<Comparison> {
  const { compare } = await context.library();
  const { audit, batch, quiet, strategy, threads } = options;
  const asked = {
    ...(await planOptionsOf(context, options, vmConfigOf(options))),
    ...(strategy !== undefined && { strategies: strategy }),
    ...(batch !== undefined && { batchSize: batch }),
    ...(audit !== undefined && { audit }),
    ...(threads !== undefined && { threads }),
  };
  return withProgress(context.terminal, "compare", quiet, ({ update }) =>
    compare(trace, { ...asked, onProgress: update }),
  );
}

function withPath({ schemaVersion, input, runs }: Comparison, path: string): Comparison {
  const named = runs.map((run) => ("input" in run ? { ...run, input: { ...run.input, path } } : run));
  return { schemaVersion, input: { ...input, path }, runs: named };
}

function replaysOf({ runs }: Comparison): readonly Replay[] {
  return runs.filter((run): run is Replay => "input" in run);
}

async function textOf(
  { library, terminal }: Context,
  result: Comparison,
  { allowLossy = false }: RunOptions,
): Promise<string> {
  const { renderComparison } = await library();
  const { columns, color } = terminal;
  return renderComparison(result, { columns, color, allowLossy });
}
