/** `gpalias bench`: how fast the engine is on this machine, beside what else there is. */
import { type CommonOptions, type Context, defineCommand } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { integerBetween } from "../numbers.js";
import { json } from "../output.js";
import { startProgress } from "../progress.js";

interface Options extends CommonOptions {
  readonly list?: true;
  readonly pairs: number;
  readonly memory?: string;
}

export default defineCommand<Options>({
  name: "bench",
  summary: "time the engine on this machine, beside floors and beside scripts without it",
  arguments: [
    {
      syntax: "[names...]",
      summary: "trials, or families of them such as hits; all if absent, which takes minutes",
    },
  ],
  options: [
    { flags: "--list", summary: "list the trials, what they compare, and the memory that each takes" },
    {
      flags: "--pairs <n>",
      summary: "how often the two sides of a trial take turns",
      default: 9,
      parse: integerBetween(1, 1001),
    },
    {
      flags: "--memory <size>",
      summary: "skip trials that take more, as in 256M (default: what is free, and a tenth spared)",
    },
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress" },
  ],
  examples: [
    { line: "gpalias bench hits touch", says: "hits and first touches of 1 to 256 GiB" },
    { line: "gpalias bench --memory 256M --pairs 3", says: "a quick look, small guests alone" },
  ],
  run: async (context, names, options) => {
    if (options.list) return list(context, names, options);
    const { terminal, signal } = context;
    const { bench, parseSize, renderBench } = await context.library();
    const { pairs, memory, quiet } = options;
    const progress = await startProgress(terminal, "bench", { quiet, unit: "pairs" });
    const result = await bench({
      ...{ names, pairs, signal, onProgress: ({ done, of }) => progress.update(done, done / of) },
      ...(memory !== undefined && { memory: parseSize(memory, "--memory") }),
    }).finally(() => progress.stop());
    await terminal.print(options.json ? json(result) : await renderBench(result, terminal));
    return EXIT.ok;
  },
});

async function list({ library, terminal }: Context, names: readonly string[], { json: asJson }: Options) {
  const { benchTrials, renderBenchTrials } = await library();
  const trials = await benchTrials(names);
  await terminal.print(
    asJson ? json({ schemaVersion: 1, list: trials }) : renderBenchTrials(trials, terminal),
  );
  return EXIT.ok;
}
