/** `gpalias convert`: a trace in another format or compression. */
import type { EventBatch } from "../../index.js";
import { type CommonOptions, defineCommand } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { withTrace } from "../input.js";
import { withOutput, writableTo } from "../output.js";
import { withProgress } from "../progress.js";
import { type FormOptions, formOf, formOptions } from "../trace-form.js";
import { type TraceOptions, vendorOption } from "../trace-options.js";

/** Value of the `kind` column. */
const ACCESS = 0;

interface Options extends CommonOptions, FormOptions, TraceOptions {
  readonly output: string;
}

export default defineCommand<Options>({
  name: "convert",
  summary: "write a trace in another format or compression",
  arguments: [{ syntax: "<trace>", summary: "trace file, plain, gzip or brotli; - is stdin" }],
  options: [
    { flags: "-o, --output <file>", summary: "where to write it; - is stdout", required: true },
    ...formOptions,
    vendorOption,
    { flags: "-q, --quiet", summary: "no progress and no remarks on stderr" },
  ],
  examples: [
    { line: "gpalias convert trace.txt.gz -o trace.parquet", says: "tracefs text to Parquet, for SQL" },
    { line: "gpalias convert trace.bin -o - --to ftrace", says: "the other way, to stdout" },
  ],
  run: async (context, [source = "-"], options) => {
    const { output: path, vendor, quiet } = options;
    const { signal, terminal } = context;
    const { formatCount, writeTrace } = await context.library();
    const form = await formOf(context, options);
    await withTrace(context, source, { twice: false, hash: false, vendor }, (trace) =>
      withOutput(path, terminal, (output) =>
        withProgress(terminal, "convert", quiet, async ({ update }) => {
          const seen = { events: 0, operations: 0 };
          const batches = counted(trace.batches({ extra: true, signal }), seen, () =>
            update(seen.events, trace.storedBytes && trace.readBytes / trace.storedBytes),
          );
          await writeTrace(batches, writableTo(output), form);
          if (!quiet)
            terminal.say(`gpalias: ${formatCount(seen.events)} events written${remark(seen, form.format)}`);
        }),
      ),
    );
    return EXIT.ok;
  },
});

interface Seen {
  events: number;
  /** Events that are not accesses. */
  operations: number;
}

async function* counted(
  batches: AsyncIterable<EventBatch>,
  seen: Seen,
  then: () => void,
): AsyncGenerator<EventBatch> {
  for await (const batch of batches) {
    yield batch;
    seen.events += batch.count;
    for (let row = 0; row < batch.count; row++) seen.operations += batch.kind[row] === ACCESS ? 0 : 1;
    then();
  }
}

function remark({ operations }: Seen, format: string): string {
  if (format !== "ftrace" || operations === 0) return "";
  return `, ${operations} of them as comments: tracefs text has no line for operations`;
}
