/**
 * A capture read once and kept, to be replayed any number of times. It may be
 * given zaps and dirty rounds that it was not recorded with.
 */
import { fileURLToPath } from "node:url";
import { EventBatch } from "../../lib/columns/event-batch.js";
import { openTrace, type Trace } from "../../lib/index.js";
import { findCapture } from "./capture.js";
import { traceOf } from "./fake-trace.js";

/** Rows between two rounds; the shortest capture still gets thirty. */
const ROUND = 4096;
const MIB = 2 ** 20;
/** What a round zaps, how far that moves on each time, and the memory that every capture has. */
const [ZAPPED, STRIDE, MEMORY] = [16 * MIB, 48 * MIB, 1024 * MIB];

/** The path of a capture, or undefined where this machine has none of that name. */
export function pathOf(name: string): string | undefined {
  const url = findCapture(`${name}.faults.bin.br`);
  return url && fileURLToPath(url);
}

/** The rows in memory, still under the file's path: memslots and bounce buffer are found beside it. */
export async function keptTrace(path: string): Promise<Trace> {
  return inMemory(path, await rowsOf(path));
}

/** The same with a zap of 16 MiB and a dirty round after every 4096 rows. */
export async function withRounds(path: string): Promise<Trace> {
  const rows = await rowsOf(path);
  const rounds = Math.ceil(rows.count / ROUND);
  const all = new EventBatch(rows.count + 2 * rounds);
  for (let round = 0; round < rounds; round++) {
    all.pushRows(rows, round * ROUND, Math.min((round + 1) * ROUND, rows.count));
    all.pushOperation("zap", (round * STRIDE) % MEMORY, ZAPPED);
    all.pushOperation("dirty-log-get");
  }
  return inMemory(path, all);
}

async function rowsOf(path: string): Promise<EventBatch> {
  const parts: EventBatch[] = [];
  const trace = await openTrace(path, { hash: false });
  for await (const batch of trace.batches()) {
    const part = new EventBatch(batch.count);
    part.pushRows(batch, 0, batch.count);
    parts.push(part);
  }
  const all = new EventBatch(parts.reduce((sum, { count }) => sum + count, 0));
  for (const part of parts) all.pushRows(part, 0, part.count);
  return all;
}

function inMemory(path: string, rows: EventBatch): Trace {
  const at = (column: ArrayLike<number>, row: number) => column[row] as number;
  const { kind, gpa, bytes, vcpu, access } = rows;
  const push = (into: EventBatch, row: number) =>
    into.pushRow(at(kind, row), at(gpa, row), at(bytes, row), at(vcpu, row), at(access, row));
  return { ...traceOf(rows.count, push), path, source: path };
}
