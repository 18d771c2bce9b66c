/** `gpalias synth`: a trace that is made up, and the memslots that go with it. */
import type { EventBatch, Synthesis, SynthOptions } from "../../index.js";
import { type CommonOptions, type Context, defineCommand } from "../command.js";
import { EXIT, type ExitCode, UsageError } from "../exit-codes.js";
import { integerBetween } from "../numbers.js";
import { isSpecial, json, withOutput, writableTo } from "../output.js";
import { withProgress } from "../progress.js";
import { backingIn, memslotsFile, sizesIn } from "../synth-output.js";
import { type FormOptions, formOf, formOptions } from "../trace-form.js";

interface Options extends CommonOptions, Partial<FormOptions> {
  readonly bytes?: string;
  readonly offset?: string;
  readonly vcpus?: number;
  readonly writeFraction?: number;
  readonly writePercent?: number;
  readonly overlap?: true;
  readonly slots?: number;
  readonly backing?: NonNullable<SynthOptions["backing"]>;
  readonly iterations?: number;
  readonly aliasBit?: number;
  readonly seed?: number;
  readonly events?: number;
  readonly memslots?: string;
  readonly list?: true;
}

const MOST = Number.MAX_SAFE_INTEGER;

export default defineCommand<Options>({
  name: "synth",
  summary: "make up the trace of a workload, with the letters of KVM's selftests",
  arguments: [
    { syntax: "[workload]", summary: "which one; --list lists them" },
    { syntax: "[file]", summary: "where to write it; - is stdout" },
  ],
  options: [
    { flags: "-b, --bytes <size>", summary: "memory of each vCPU, as in 10M or 3G (default: 64M)" },
    { flags: "-v, --vcpus <n>", summary: "vCPUs (default: 1)", parse: integerBetween(1, 4096) },
    {
      flags: "-f, --write-fraction <n>",
      summary: "one access in n writes, the others read (default: 1, all of them)",
      parse: integerBetween(1, 2 ** 31),
    },
    {
      flags: "-w, --write-percent <n>",
      summary: "the same as newer selftests have it: n accesses in a hundred write",
      parse: integerBetween(0, 100),
    },
    { flags: "-o, --overlap", summary: "every vCPU uses all memory, not a part of its own" },
    {
      flags: "-x, --slots <n>",
      summary: "memslots that the memory is split into (default: 1)",
      parse: integerBetween(1, 32_764),
    },
    {
      flags: "-s, --backing <type>",
      summary:
        "what backs it: 4K, 2M, 1G, or anonymous, anonymous_thp, anonymous_hugetlb_2mb, ... (default: 4K)",
      parse: backingIn,
    },
    {
      flags: "-i, --iterations <n>",
      summary: "how often; of what, says --list (default: the workload's own)",
      parse: integerBetween(1, 2 ** 32),
    },
    { flags: "-p, --offset <gpa>", summary: "where the memory begins (default: 4G)" },
    {
      flags: "--alias-bit <n>",
      summary: "bit of shared addresses (default: 47)",
      parse: integerBetween(12, 51),
    },
    {
      flags: "--seed <n>",
      summary: "which random choices are made (default: 1)",
      parse: integerBetween(0, MOST),
    },
    { flags: "--events <n>", summary: "stop after so many events", parse: integerBetween(1, MOST) },
    {
      flags: "--memslots <file>",
      summary: "where to write the memslots (default: the trace's name and .json)",
    },
    ...formOptions,
    { flags: "--list", summary: "list the workloads and what they resemble" },
    { flags: "--json", summary: "with --list: as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress and no remarks on stderr" },
  ],
  examples: [
    {
      line: "gpalias synth dirty-logging log.bin -v 4 -b 256M -i 10",
      says: "2.9 million events; a replay of log.bin takes the memslots from log.bin.json",
    },
    {
      line: "gpalias synth demand-paging - --to ftrace | head",
      says: "what KVM would have traced, to look at",
    },
  ],
  run: async (context, [name, file], options) => {
    if (options.list) return list(context, name, options);
    if (options.json)
      throw new UsageError("--json goes with --list: a trace has formats of its own, see --to");
    if (name === undefined) throw new UsageError("synth needs a workload; gpalias synth --list lists them");
    const output = expectFile(file);
    const { synthesize } = await context.library();
    const trace = await synthesize(name, await askedOf(context, options));
    await write(context, trace, { ...options, output });
    return EXIT.ok;
  },
});

async function list(
  { library, terminal }: Context,
  name: string | undefined,
  options: Options,
): Promise<ExitCode> {
  if (name !== undefined)
    throw new UsageError(`--list lists every workload, and takes no name such as "${name}"`);
  const { workloads } = await library();
  const found = (await workloads()).map(({ name, summary, resembles, defaults }) => ({
    name,
    summary,
    resembles,
    defaults,
  }));
  const lines = found.map((each) => `${each.name}\n    ${each.summary}\n    like ${each.resembles}\n`);
  await terminal.print(options.json ? json({ schemaVersion: 1, workloads: found }) : lines.join(""));
  return EXIT.ok;
}

function expectFile(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new UsageError(
    "synth needs a file behind the workload, or - for stdout; -o is overlap, as in the selftests",
  );
}

async function askedOf(context: Context, options: Options): Promise<SynthOptions> {
  const { vcpus, writeFraction, writePercent, overlap, slots, backing, iterations, aliasBit, seed, events } =
    options;
  const given = {
    vcpus,
    writeFraction,
    writePercent,
    overlap,
    slots,
    backing,
    iterations,
    aliasBit,
    seed,
    events,
  };
  const known = Object.entries({ ...given, ...(await sizesIn(context, options)) });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

async function write(context: Context, trace: Synthesis, options: Options & FormOptions): Promise<void> {
  const { terminal, signal } = context;
  const { output: path, quiet } = options;
  const { formatCount, writeTrace } = await context.library();
  const form = await formOf(context, options);
  const beside = options.memslots ?? (path === "-" || (await isSpecial(path)) ? undefined : `${path}.json`);
  const faults: number[] = [];
  await withOutput(path, terminal, (output) =>
    withProgress(terminal, "synth", quiet, ({ update }) => {
      const batches = counted(trace.batches({ extra: true, signal }), faults, () =>
        update(trace.totals.records, undefined),
      );
      return writeTrace(batches, writableTo(output), form);
    }),
  );
  if (beside !== undefined)
    await withOutput(beside, terminal, async (output) =>
      output.write(json(await memslotsFile(context, trace, faults))),
    );
  const where = beside === undefined ? "" : `; memslots in ${beside}`;
  if (!quiet) terminal.say(`gpalias: ${formatCount(trace.totals.records)} events written${where}`);
}

/** Accesses of each vCPU, as a capture's file has them. */
async function* counted(
  batches: AsyncIterable<EventBatch>,
  faults: number[],
  then: () => void,
): AsyncGenerator<EventBatch> {
  for await (const batch of batches) {
    yield batch;
    for (let row = 0; row < batch.count; row++) {
      const vcpu = batch.vcpu[row] as number;
      if (batch.kind[row] === 0) faults[vcpu] = (faults[vcpu] ?? 0) + 1;
    }
    then();
  }
}
