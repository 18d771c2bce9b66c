/** `gpalias replay`: a trace through the modelled MMU. */
import type { PlanOptions, Replay, Trace } from "../../index.js";
import { type Context, defineCommand } from "../command.js";
import { UsageError } from "../exit-codes.js";
import { withTrace } from "../input.js";
import { json, withOutput } from "../output.js";
import { withProgress } from "../progress.js";
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
  name: "replay",
  summary: "replay a recorded trace and say what the MMU did",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: runOptions(
    {
      flags: "--strategy <name>",
      summary: "how the MMU treats alias bits; gpalias strategies lists them (default: none)",
      parse: listIn,
    },
    {
      flags: "--mmu <flavour>",
      summary: "which of KVM's MMUs is modelled",
      default: "tdp",
      choices: ["tdp", "rmap"],
    },
  ),
  examples: [
    { line: "gpalias replay boot.faults.bin.br", says: "everything guessed, text for a person" },
    { line: "zcat trace.txt.gz | gpalias replay - --backing 2M --json", says: "2M pages, JSON" },
  ],
  run: async (context, [source = "-"], options) => {
    await expectRules(context, options.failOn);
    const input = { twice: looksFirst(options), hash: options.hash };
    return withTrace(context, source, input, (trace, name) =>
      withOutput(options.output, context.terminal, async (output) => {
        const replayed = await inWordsOfOptions(replayTrace(context, trace, options));
        const result = { ...replayed, input: { ...replayed.input, path: name } };
        await output.write(options.json ? json(result) : await textOf(context, result));
        return statusOf(context, [result], options);
      }),
    );
  },
});

async function replayTrace(context: Context, trace: Trace, options: RunOptions): Promise<Replay> {
  const { applyPlan, createVm, planReplay, replay } = await context.library();
  const { signal, terminal } = context;
  const plan = await planReplay(trace, await askedOf(context, options));
  if (options.verbose) {
    for (const { what, value, why } of plan.guesses) terminal.say(`gpalias: ${what}: ${value} (${why})`);
    terminal.say(`gpalias: ${plan.memslots.length} memslots, dirty logging ${plan.dirtyLog ? "on" : "off"}`);
  }
  const vm = createVm(plan.config);
  try {
    applyPlan(vm, plan);
    const { batch, quiet } = options;
    const { project, guesses } = plan;
    const given = { signal, project, guesses, ...(batch !== undefined && { batchSize: batch }) };
    return await withProgress(terminal, "replay", quiet, ({ update }) =>
      replay(vm, trace, { ...given, onProgress: update }),
    );
  } finally {
    vm.close();
  }
}

/** A plan is made for a VM that can be: a combination that cannot is said before the trace is read. */
async function askedOf(context: Context, options: RunOptions): Promise<PlanOptions> {
  const [strategy = "none", ...more] = options.strategy ?? [];
  if (more.length > 0) throw new UsageError("--strategy takes one name here; gpalias compare takes several");
  const { alias, ...config } = vmConfigOf(options);
  const asked = { ...config, alias: { ...alias, strategy } };
  (await context.library()).resolveConfig(asked);
  return planOptionsOf(context, options, asked);
}

async function textOf({ library, terminal }: Context, result: Replay): Promise<string> {
  const { renderText } = await library();
  return renderText(result, terminal);
}
