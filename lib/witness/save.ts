/**
 * A witness as files: a trace, the memslots beside it, and the command that
 * replays the two. It writes none of them.
 */
import { basename } from "node:path";
import { Writable } from "node:stream";
import { EventBatch, KIND } from "../columns/event-batch.js";
import { MmuError } from "../errors.js";
import { captureJsonPath } from "../trace/capture-json.js";
import { writeTrace } from "../trace/write-trace.js";
import { replayArguments } from "./replay-arguments.js";
import type { WitnessReport } from "./report.js";
import type { EventStep } from "./story.js";

export interface WitnessFiles {
  /** In format `binary`. */
  readonly trace: Uint8Array;
  /** Where the memslots belong, and what is in that file. */
  readonly memslots: { readonly path: string; readonly text: string };
  /** What to type, words that need it quoted. */
  readonly command: string;
}

/**
 * What to write so that a witness can be replayed.
 *
 * @param path where the trace will be; its memslots go beside it
 * @throws (rejects) MmuError `ERR_TRACE` for a witness with steps that are no events, such as a changed memslot,
 * `ERR_UNSUPPORTED` for a configuration that the command line cannot say: export a test instead
 */
export async function witnessFiles(report: WitnessReport, path: string): Promise<WitnessFiles> {
  const slotsPath = captureJsonPath(path) ?? `${path}.json`;
  const command = ["gpalias", "replay", path, ...replayArguments(report, slotsPath)].map(quoted).join(" ");
  const { run, rule, memslots } = report;
  const text = `${JSON.stringify({ run, rule: rule.id, command, memslots }, null, 2)}\n`;
  return { trace: await traceOf(report, basename(path)), memslots: { path: slotsPath, text }, command };
}

async function traceOf({ steps }: WitnessReport, name: string): Promise<Uint8Array> {
  const events = steps.map(({ step }) => {
    if (step.is === "event") return step;
    throw new MmuError(
      "ERR_TRACE",
      `${name}: a trace has no record of kind "${step.is}"; a test can have it`,
    );
  });
  const chunks: Uint8Array[] = [];
  const sink = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      chunks.push(Uint8Array.from(chunk));
      done();
    },
  });
  await writeTrace(batchOf(events), sink, { format: "binary" });
  return Buffer.concat(chunks);
}

async function* batchOf(steps: readonly EventStep[]): AsyncGenerator<EventBatch> {
  const batch = new EventBatch(Math.max(1, steps.length));
  for (const { kind, gpa, bytes, vcpu, access } of steps) batch.pushRow(KIND[kind], gpa, bytes, vcpu, access);
  yield batch;
}

/** As a POSIX shell takes it. */
const quoted = (word: string): string =>
  /^[\w./:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
