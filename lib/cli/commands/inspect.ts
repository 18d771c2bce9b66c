/** `gpalias inspect`: what is in a trace, without replaying it. */
import type { Inspection, MemslotSpec, Trace } from "../../index.js";
import { ID_STEP, MEMSLOT_FLAGS } from "../../memslot-numbers.js";
import { type CommonOptions, type Context, defineCommand } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { withTrace } from "../input.js";
import { json } from "../output.js";
import { type Progress, withProgress } from "../progress.js";
import { type LossyOptions, lossyOption, type TraceOptions, vendorOption } from "../trace-options.js";

interface Options extends CommonOptions, TraceOptions, LossyOptions {
  readonly hash: boolean;
}

const PROGRESS_MS = 200;
/** Pages closer than this are one range: a table of leaves spans as much. */
const RANGE_GAP = 2 ** 21;

export default defineCommand<Options>({
  name: "inspect",
  summary: "say what is in a trace, without replaying it",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: [
    vendorOption,
    lossyOption,
    { flags: "--no-hash", summary: "leave out the trace's SHA-256" },
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress and no remarks on stderr" },
  ],
  examples: [
    { line: "gpalias inspect boot.faults.bin.br", says: "kinds, addresses, vCPUs, guesses" },
    { line: "gpalias inspect trace.txt --json | jq .memslots", says: "a start for a --memslots file" },
  ],
  run: async (context, [source = "-"], { hash, vendor, allowLossy = false, json: asJson, quiet }) => {
    const { terminal } = context;
    // Events are counted in one pass; guesses may take another.
    const found = await withTrace(context, source, { twice: true, hash, vendor }, (trace, name) =>
      withProgress(terminal, "inspect", quiet, (progress) =>
        watched(trace, progress, () => inspect(context, trace, name)),
      ),
    );
    const { renderInspection } = await context.library();
    await terminal.print(asJson ? json(found) : await renderInspection(found, terminal));
    return found.input.lost > 0 && !allowLossy ? EXIT.input : EXIT.ok;
  },
});

async function inspect(context: Context, trace: Trace, path: string): Promise<Inspection> {
  const { accountOf, formatGpa, planReplay, surveyTrace, learntGuesses } = await context.library();
  const { signal } = context;
  const {
    events,
    accesses,
    byKind,
    vcpus,
    firstTime = 0,
    lastTime = 0,
    touched,
  } = await surveyTrace(trace, signal);
  const { memslots, guesses } = await planReplay(trace, { signal });
  const sha256 = await trace.sha256();
  const { format, compression } = trace;
  const stored = { path, format, compression, ...(sha256 !== undefined && { sha256 }) };
  return {
    schemaVersion: 1,
    input: { ...stored, events, accesses, byKind, vcpus, firstTime, lastTime, ...accountOf(trace) },
    ranges: [...touched.ranges(RANGE_GAP)].map(({ gpa, ...range }) => ({ gpa: formatGpa(gpa), ...range })),
    memslots: memslots.map((slot) => memslotText(slot, formatGpa)),
    guesses: [...learntGuesses(trace.totals), ...guesses],
  };
}

/** As `--memslots` files have it. */
function memslotText(slot: MemslotSpec, hex: (gpa: number) => string): Inspection["memslots"][number] {
  const { id = 0, asId = 0, gpa, bytes, hva, readonly } = slot;
  return {
    slot: asId * ID_STEP + id,
    gpa: hex(gpa),
    size: hex(bytes),
    flags: readonly ? MEMSLOT_FLAGS.readonly : 0,
    ...(hva !== undefined && { hva: hex(hva) }),
  };
}

/** Shows how far the passes over a trace are while `work` makes them. */
async function watched<T>(trace: Trace, { update }: Progress, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    update(trace.totals.records, trace.storedBytes && trace.readBytes / trace.storedBytes);
  }, PROGRESS_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
