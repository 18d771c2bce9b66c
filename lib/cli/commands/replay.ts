/** `gpalias replay`: a trace through the modelled MMU. */
import type { PlanOptions, Replay, Trace, TraceRelease } from "../../index.js";
import { type Context, defineCommand } from "../command.js";
import { UsageError } from "../exit-codes.js";
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
import type { Terminal } from "../terminal.js";
import { expectRules, statusOf } from "../verdict.js";

interface ReplayOptions extends RunOptions {
  readonly emitTrace?: string;
  readonly traceRelease?: TraceRelease;
}

export default defineCommand<ReplayOptions>({
  name: "replay",
  summary: "replay a recorded trace and say what the MMU did",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: [
    ...runOptions(
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
    {
      flags: "--emit-trace <file>",
      summary:
        "write what KVM's tracepoints would print there, as tracefs does; - is stdout, in place of the result",
    },
    {
      flags: "--trace-release <release>",
      summary: "whose tracepoints (default: those of --kernel)",
      choices: ["6.16", "6.1", "5.10"],
    },
  ],
  examples: [
    { line: "gpalias replay boot.faults.bin.br", says: "everything guessed, text for a person" },
    {
      line: "zcat trace.txt.gz | gpalias replay - --backing 2M --audit 0 --json",
      says: "2M pages, the state checked at the end, JSON",
    },
  ],
  run: async (context, [source = "-"], options) => {
    await expectRules(context, options.failOn);
    expectOnePlace(options);
    const input = { twice: looksFirst(options), hash: options.hash, vendor: options.vendor };
    return withReports(context, options, (report) =>
      withTrace(context, source, input, (trace, name) =>
        withOutput(options.output, context.terminal, async (output) => {
          const result = await resultFor(context, trace, options, name);
          await report([result]);
          if (options.emitTrace === "-") return statusOf(context, [result], options);
          await output.write(options.json ? json(result) : await textOf(context, result, options));
          return statusOf(context, [result], options);
        }),
      ),
    );
  },
});

async function resultFor(
  context: Context,
  trace: Trace,
  options: ReplayOptions,
  path: string,
): Promise<Replay> {
  const replayed = await inWordsOfOptions(
    withLines(options.emitTrace, context.terminal, (lines) => replayTrace(context, trace, options, lines)),
  );
  return { ...replayed, input: { ...replayed.input, path } };
}

type Lines = ((text: string) => Promise<void>) | undefined;

/** What the model's tracepoints print goes to a file of its own, which appears whole or not at all. */
async function withLines<T>(
  path: string | undefined,
  terminal: Terminal,
  use: (lines: Lines) => Promise<T>,
): Promise<T> {
  if (path === undefined) return use(undefined);
  return withOutput(path, terminal, async (output) => {
    await output.write("# tracer: nop\n#\n");
    return use((text) => output.write(text));
  });
}

/** Lines and a result in one stream are neither. */
function expectOnePlace({ emitTrace, json, output }: ReplayOptions): void {
  if (emitTrace === undefined) return;
  if (emitTrace === "-" && json) throw new UsageError("--emit-trace - and --json both want stdout");
  if (emitTrace === "-" && output !== undefined)
    throw new UsageError("--emit-trace - prints no result for -o");
  if (emitTrace === output) throw new UsageError("--emit-trace and -o name the same file");
}

async function replayTrace(
  context: Context,
  trace: Trace,
  options: ReplayOptions,
  onTrace: Lines,
): Promise<Replay> {
  const { applyPlan, createVm, planReplay, replay } = await context.library();
  const { signal, terminal } = context;
  const plan = await planReplay(trace, await askedOf(context, options));
  if (options.verbose) {
    for (const { what, value, why } of plan.guesses) terminal.say(`gpalias: ${what}: ${value} (${why})`);
    terminal.say(`gpalias: ${plan.memslots.length} memslots, dirty logging ${plan.dirtyLog ? "on" : "off"}`);
  }
  const vm = createVm(plan.config);
  try {
    if (onTrace !== undefined) vm.setTrace(options.traceRelease ?? true);
    applyPlan(vm, plan);
    const { audit, batch, quiet, threads } = options;
    const { project, guesses } = plan;
    const sizes = {
      ...(batch !== undefined && { batchSize: batch }),
      ...(audit !== undefined && { audit }),
      ...(threads !== undefined && { threads }),
    };
    const given = { signal, project, guesses, onTrace, ...sizes };
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

async function textOf(
  { library, terminal }: Context,
  result: Replay,
  { allowLossy = false }: RunOptions,
): Promise<string> {
  const { renderText } = await library();
  const { columns, color } = terminal;
  return renderText(result, { columns, color, allowLossy });
}
