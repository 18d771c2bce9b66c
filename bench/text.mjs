// Lines of kvm_page_fault text per second: through gpalias, a bare read of the
// same file, and a reader made of readline and a regular expression, in one
// process, repetitions interleaved, medians compared.
//
//   node bench/text.mjs [--json] [--repetitions 5] [--lines 1000000]
//
// The file lies in the page cache. GPALIAS_TRACE_PATH=avx512|avx2|portable|scalar
// says how gpalias finds lines; the columns are the same.
import { closeSync, createReadStream, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openTrace } from "gpalias";
import { main } from "../scripts/process.mjs";
import { machine, machineLine } from "./machine.mjs";
import { median } from "./stats.mjs";

const CHUNK_BYTES = 2 ** 18;
const NEWLINE = 10;
const FAULT =
  /\[(\d+)\] +\S+ +(\d+\.\d+): kvm_page_fault: vcpu (\d+) rip 0x([0-9a-f]+) address 0x([0-9a-f]+) error_code 0x([0-9a-f]+)$/;
/** Lines a second that streaming text from the page cache should reach, and how much faster than the plain reader. */
export const TARGET = { linesPerSecond: 12e6, overReadline: 10 };

/** A recorded boot's shape: 140-byte lines, two vCPUs, guest addresses over 1 GiB. */
export function madeLines(count) {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed;
  };
  const codes = ["0x181", "0x182", "0x182", "0x1aa"];
  const lines = Array.from({ length: Math.min(count, 100_000) }, (_, i) => {
    const time = `${String(1000 + Math.floor(i / 1000)).padStart(5)}.${String(i % 1000).padStart(6, "0")}`;
    const rip = `ffffffff81${(random() >>> 8).toString(16).padStart(6, "0")}`;
    const gpa = (random() >>> 2).toString(16).padStart(16, "0");
    const task = `       CPU ${i & 1}/KVM-${1000 + (i & 1)}    [00${i & 1}] ..... ${time}: `;
    return `${task}kvm_page_fault: vcpu ${i & 1} rip 0x${rip} address 0x${gpa} error_code ${codes[i & 3]}\n`;
  });
  return Buffer.from(lines.join("").repeat(Math.ceil(count / lines.length)));
}

async function byGpalias(path) {
  let rows = 0;
  for await (const batch of (await openTrace(path, { hash: false })).batches()) rows += batch.count;
  return rows;
}

function bareRead(path) {
  const file = openSync(path);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  for (let got = 1; got > 0; bytes += got) got = readSync(file, chunk);
  closeSync(file);
  return bytes;
}

async function byReadline(path) {
  const columns = { gpa: [], code: [], vcpu: [], time: [] };
  const lines = createInterface({ input: createReadStream(path, { highWaterMark: CHUNK_BYTES }) });
  lines.on("line", (line) => {
    const found = FAULT.exec(line);
    if (found === null) return;
    columns.time.push(Number(found[2]));
    columns.vcpu.push(Number(found[3]));
    columns.gpa.push(Number.parseInt(found[5], 16));
    columns.code.push(Number.parseInt(found[6], 16));
  });
  await new Promise((resolve) => lines.once("close", resolve));
  return columns.gpa.length;
}

async function nsOf(work) {
  const started = process.hrtime.bigint();
  const result = await work();
  return { ns: Number(process.hrtime.bigint() - started), result };
}

/** Nanoseconds a line of each reader, and what follows from them. */
export async function measureText(path, lines, repetitions) {
  const samples = { gpalias: [], read: [], readline: [] };
  for (let i = 0; i < repetitions; i++) {
    const ours = await nsOf(() => byGpalias(path));
    const floor = await nsOf(() => bareRead(path));
    const plain = await nsOf(() => byReadline(path));
    if (ours.result !== lines || plain.result !== lines) {
      throw new Error(`read ${ours.result} and ${plain.result} of ${lines} lines`);
    }
    samples.gpalias.push(ours.ns / lines);
    samples.read.push(floor.ns / lines);
    samples.readline.push(plain.ns / lines);
  }
  const [gpalias, read, readline] = [samples.gpalias, samples.read, samples.readline].map(median);
  return {
    lines,
    nsPerLine: { gpalias, read, readline },
    linesPerSecond: 1e9 / gpalias,
    overRead: gpalias / read,
    overReadline: readline / gpalias,
    target: TARGET,
  };
}

function text({ nsPerLine, linesPerSecond, overRead, overReadline, target }) {
  const ns = (value) => `${value.toFixed(1).padStart(7)} ns/line`;
  const millions = (value) => `${(value / 1e6).toFixed(1)} M lines/s`;
  return (
    `gpalias   ${ns(nsPerLine.gpalias)}  ${millions(linesPerSecond)} (target ${millions(target.linesPerSecond)})\n` +
    `bare read ${ns(nsPerLine.read)}  gpalias takes ${overRead.toFixed(1)} times as long\n` +
    `readline  ${ns(nsPerLine.readline)}  gpalias is ${overReadline.toFixed(1)} times as fast (target ${target.overReadline})\n`
  );
}

function linesIn(bytes) {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({
      options: {
        json: { type: "boolean" },
        repetitions: { type: "string", default: "5" },
        lines: { type: "string", default: "1000000" },
      },
    });
    const folder = mkdtempSync(join(tmpdir(), "gpalias-bench-"));
    const path = join(folder, "trace.txt");
    try {
      const bytes = madeLines(Number(values.lines));
      writeFileSync(path, bytes);
      const found = await measureText(path, linesIn(bytes), Number(values.repetitions));
      const result = { schemaVersion: 1, machine: machine(), ...found };
      if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else process.stdout.write(`${machineLine(result.machine)}\n\n${text(found)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
