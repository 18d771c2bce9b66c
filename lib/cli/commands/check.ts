/** `gpalias check`: everything that can happen in small worlds, tried. */
import { type CommonOptions, type Context, defineCommand, type Library } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { json } from "../output.js";
import { startProgress } from "../progress.js";
import { allRuns, type Run, runsCalled } from "../runs.js";

interface Options extends CommonOptions {
  readonly ops: number;
  readonly states: number;
  readonly threads?: number;
  readonly resume?: string;
}

export default defineCommand<Options>({
  name: "check",
  summary: "try everything that can happen in small worlds, and show the shortest way to each violation",
  arguments: [
    { syntax: "[run...]", summary: "strategy/flavour, or a strategy under all its flavours; all if absent" },
  ],
  options: [
    { flags: "--ops <n>", summary: "most operations in a row, 1 to 12", default: 4, parse: Number },
    {
      flags: "--states <n>",
      summary: "most states of a world, 40 bytes each",
      default: 4_000_000,
      parse: Number,
    },
    {
      flags: "--threads <n>",
      summary: "worlds looked at together (default: one for each core)",
      parse: Number,
    },
    { flags: "--resume <folder>", summary: "put aside there what has been looked at, and go on from it" },
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress and no remarks" },
  ],
  examples: [
    {
      line: "gpalias check v5-as-posted/rmap",
      says: "which rules the posted patch breaks, with the shortest witness",
    },
    {
      line: "gpalias check precise/rmap --ops 7 --resume ~/precise",
      says: "a long check: interrupted and asked again, it goes on",
    },
  ],
  run: async (context, args, options) => {
    const library = await context.library();
    const results = [];
    for (const run of runsOf(library, args)) {
      const result = await checkOne(library, context, run, options);
      results.push(result);
      if (!options.json) await context.terminal.print(library.renderCheck(result, context.terminal));
    }
    if (options.json) await context.terminal.print(json(documentOf(results)));
    return results.some(({ violations }) => violations.length > 0) ? EXIT.failed : EXIT.ok;
  },
});

/** One run is its own document, several are a list. */
const documentOf = (results: readonly unknown[]): unknown =>
  results.length === 1 ? results[0] : { schemaVersion: 1, checks: results };

function runsOf(library: Library, args: readonly string[]): readonly Run[] {
  const all = allRuns(library);
  return args.length === 0 ? all : args.flatMap((arg) => runsCalled(arg, all));
}

async function checkOne({ check }: Library, { terminal, signal }: Context, run: Run, options: Options) {
  const { ops: operations, states, threads, resume, quiet } = options;
  const progress = await startProgress(terminal, `${run.strategy}/${run.mmu}`, { quiet, unit: "states" });
  return check({
    ...{ ...run, operations, states, signal },
    ...(threads === undefined ? {} : { threads }),
    ...(resume === undefined ? {} : { resume }),
    onProgress: ({ states: seen, worlds, worldsDone }) => progress.update(seen, worldsDone / worlds),
  }).finally(() => progress.stop());
}
