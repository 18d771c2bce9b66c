/** `gpalias replay`: a trace through the modelled MMU. */
import type { PageSize, PlanOptions, Replay, Trace, Vm, VmConfig } from "../../index.js";
import { type CommonOptions, type Context, defineCommand } from "../command.js";
import {
  codeOf,
  EXIT,
  type ExitCode,
  FileError,
  isConfigError,
  UnsupportedError,
  UsageError,
} from "../exit-codes.js";
import { withTrace } from "../input.js";
import { integerBetween } from "../numbers.js";
import { json, withOutput } from "../output.js";
import { withProgress } from "../progress.js";

interface Options extends CommonOptions {
  readonly memslots: string;
  readonly dirtyLog: "auto" | "on" | "off";
  readonly backing: PageSize;
  readonly vcpus?: number;
  readonly addressBits?: number;
  readonly rootLevel?: 4 | 5;
  readonly alias: string;
  readonly strategy: string;
  readonly mmu: string;
  readonly batch?: number;
  readonly output?: string;
  readonly hash: boolean;
}

export default defineCommand<Options>({
  name: "replay",
  summary: "replay a recorded trace and say what the MMU did",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: [
    {
      flags: "--memslots <file>",
      summary:
        "the guest's memory: a capture's .json or an array of {slot, gpa, size, flags}; " +
        "auto looks beside the trace, then at its addresses",
      default: "auto",
    },
    {
      flags: "--dirty-log <when>",
      summary: "log dirty pages of writable slots; auto: if the trace has rounds",
      default: "auto",
      choices: ["auto", "on", "off"],
    },
    {
      flags: "--backing <size>",
      summary: "largest page that the host maps guest memory with",
      default: "4K",
      choices: ["4K", "2M", "1G"],
    },
    { flags: "--vcpus <n>", summary: "vCPUs of the VM", parse: integerBetween(1, 65_536) },
    {
      flags: "--address-bits <n>",
      summary: "width of a guest-physical address (default: 48, or 52 if the trace needs it)",
      parse: integerBetween(32, 52),
    },
    {
      flags: "--root-level <n>",
      summary: "levels of the page tables (default: 4 up to 48 bits, else 5)",
      parse: integerBetween(4, 5),
    },
    { flags: "--alias <preset>", summary: "which address bits are alias bits", default: "none" },
    { flags: "--strategy <name>", summary: "how the MMU treats alias bits", default: "none" },
    { flags: "--mmu <flavour>", summary: "which of KVM's MMUs is modelled", default: "tdp" },
    {
      flags: "--batch <n>",
      summary: "events per batch; changes the speed, never the result",
      parse: integerBetween(1, 2 ** 24),
    },
    { flags: "--no-hash", summary: "leave out the trace's SHA-256" },
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-o, --output <file>", summary: "write the result there, whole or not at all" },
    { flags: "-q, --quiet", summary: "no progress and no remarks on stderr" },
    { flags: "-v, --verbose", summary: "say on stderr what the VM is given" },
  ],
  examples: [
    { line: "gpalias replay boot.faults.bin.br", says: "everything guessed, text for a person" },
    { line: "zcat trace.txt.gz | gpalias replay - --backing 2M --json", says: "2M pages, JSON" },
  ],
  run: async (context, [source = "-"], options) => {
    // Whatever is to be guessed is guessed from a first look.
    const twice = options.memslots === "auto" || options.dirtyLog === "auto";
    return withTrace(context, source, { twice, hash: options.hash }, (trace, name) =>
      withOutput(options.output, context.terminal, async (output) => {
        const replayed = await replayTrace(context, trace, options);
        const result = { ...replayed, input: { ...replayed.input, path: name } };
        await output.write(options.json ? json(result) : await textOf(context, result));
        return statusOf(context, result, options);
      }),
    );
  },
});

async function replayTrace(context: Context, trace: Trace, options: Options): Promise<Replay> {
  const { applyPlan, planReplay, replay } = await context.library();
  const { signal, terminal } = context;
  const asked = await planOptions(context, options);
  const plan = await inWordsOfOptions(planReplay(trace, asked));
  if (options.verbose) {
    for (const { what, value, why } of plan.guesses) terminal.say(`gpalias: ${what}: ${value} (${why})`);
    terminal.say(`gpalias: ${plan.memslots.length} memslots, dirty logging ${plan.dirtyLog ? "on" : "off"}`);
  }
  const vm = await newVm(context, plan.config);
  try {
    applyPlan(vm, plan);
    const { batch, quiet } = options;
    const given = { signal, guesses: plan.guesses, ...(batch !== undefined && { batchSize: batch }) };
    return await withProgress(terminal, "replay", quiet, ({ update }) =>
      inWordsOfOptions(replay(vm, trace, { ...given, onProgress: update })),
    );
  } finally {
    vm.close();
  }
}

async function planOptions(context: Context, options: Options): Promise<PlanOptions> {
  const { vcpus, addressBits, rootLevel, alias, strategy, mmu, dirtyLog, backing } = options;
  const config: VmConfig = {
    alias: { strategy, preset: alias },
    // What other flavours there are is the library's knowledge, and so is the sentence.
    mmu: mmu as "tdp",
    ...(vcpus !== undefined && { vcpus }),
    ...(addressBits !== undefined && { addressBits }),
    ...(rootLevel !== undefined && { rootLevel }),
  };
  const memslots = await memslotsOf(context, options.memslots);
  return { memslots, dirtyLog, backing, config, signal: context.signal };
}

/** Where the library speaks of its option `vcpus`, the user has typed --vcpus. */
async function inWordsOfOptions<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isConfigError(error) && error.message.startsWith("vcpus "))
      throw new UsageError(`--${error.message}`);
    if (error instanceof Error && codeOf(error) === "ERR_EVENT") {
      error.message = error.message.replace("(vcpus)", "(--vcpus)");
    }
    throw error;
  }
}

/** A mistake in the file is bad input, not a mistake in the command line. */
async function memslotsOf(context: Context, path: string): Promise<NonNullable<PlanOptions["memslots"]>> {
  if (path === "auto") return path;
  const { readMemslots } = await context.library();
  try {
    return await readMemslots(path);
  } catch (error) {
    throw isConfigError(error) ? new FileError(error.message, { cause: error }) : error;
  }
}

/** Names of aliases, strategies and flavours that this version does not have are well formed. */
async function newVm(context: Context, config: VmConfig): Promise<Vm> {
  const { createVm } = await context.library();
  try {
    return createVm(config);
  } catch (error) {
    const isName = isConfigError(error) && /^(alias|mmu)\b/.test(error.message);
    throw isName ? new UnsupportedError(error.message, { cause: error }) : error;
  }
}

async function textOf({ library, terminal }: Context, result: Replay): Promise<string> {
  const { renderText } = await library();
  return renderText(result, terminal);
}

/** Events that the recorder dropped make every count a lower bound. */
function statusOf({ terminal }: Context, { input }: Replay, { quiet }: Options): ExitCode {
  if (input.lost === 0) return EXIT.ok;
  if (!quiet) {
    terminal.say(
      `gpalias: the recorder lost ${input.lost} events; every count is of what it kept (exit ${EXIT.input})`,
    );
  }
  return EXIT.input;
}
