/**
 * A text trace from the page cache through `openTrace`, beside a reader made of
 * `readline` and a regular expression, and beside a bare read of the file.
 */
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { createInterface } from "node:readline";
import { openTrace } from "../../traces.js";
import { madeTextFile } from "../made-text.js";
import { asyncCpuNs, type Sides, type Trial } from "../trial.js";

const CHUNK_BYTES = 2 ** 18;
const LINE_BYTES = 142;
const FAULT =
  /\[(\d+)\] +\S+ +(\d+\.\d+): kvm_page_fault: vcpu (\d+) rip 0x([0-9a-f]+) address 0x([0-9a-f]+) error_code 0x([0-9a-f]+)$/;

async function byGpalias(path: string): Promise<number> {
  let rows = 0;
  for await (const batch of (await openTrace(path, { hash: false })).batches()) rows += batch.count;
  return rows;
}

async function byReadline(path: string): Promise<number> {
  const columns: Record<"time" | "vcpu" | "gpa" | "code", number[]> = {
    time: [],
    vcpu: [],
    gpa: [],
    code: [],
  };
  const lines = createInterface({ input: createReadStream(path, { highWaterMark: CHUNK_BYTES }) });
  lines.on("line", (line) => {
    const found = FAULT.exec(line);
    if (found === null) return;
    columns.time.push(Number(found[2]));
    columns.vcpu.push(Number(found[3]));
    columns.gpa.push(Number.parseInt(found[5] as string, 16));
    columns.code.push(Number.parseInt(found[6] as string, 16));
  });
  await new Promise((resolve) => lines.once("close", resolve));
  return columns.gpa.length;
}

async function bareRead(path: string): Promise<number> {
  const file = openSync(path, "r");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  for (let got = 1; got > 0; bytes += got) got = readSync(file, chunk);
  closeSync(file);
  return bytes;
}

interface Reader {
  readonly name: string;
  readonly beside: string;
  readonly lines: number;
  readonly target?: number;
  read(path: string): Promise<number>;
  /** Whether that much is all of it. */
  isAll(read: number, lines: number): boolean;
}

function sidesOf({ lines, read, isAll }: Reader): Sides {
  const { path, records, remove } = madeTextFile(lines);
  let [ours, theirs] = [0, 0];
  return {
    events: records,
    engine: () =>
      asyncCpuNs(async () => {
        ours = await byGpalias(path);
      }),
    beside: () =>
      asyncCpuNs(async () => {
        theirs = await read(path);
      }),
    holds: () => ours === records && isAll(theirs, records),
    close: remove,
  };
}

const trial = (reader: Reader): Trial => ({
  name: reader.name,
  what: "lines of a file into columns",
  beside: reader.beside,
  unit: "line",
  bytes: reader.lines * LINE_BYTES * 2 + 2 ** 26,
  prepare: () => sidesOf(reader),
  ...(reader.target !== undefined && { target: reader.target }),
});

export default [
  trial({
    name: "text-readline",
    beside: "readline and a regular expression",
    lines: 200_000,
    target: 0.1,
    read: byReadline,
    isAll: (read, lines) => read === lines,
  }),
  trial({
    name: "text-read",
    beside: "a bare read of the file",
    lines: 1_000_000,
    read: bareRead,
    isAll: (read, lines) => read > 100 * lines,
  }),
] satisfies readonly Trial[];
