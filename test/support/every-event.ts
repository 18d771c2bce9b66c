// Batches with everything that a column can hold: every kind, the highest of
// each number, every access word, and rows between that a seed chose.
import { EVENT_KINDS, EventBatch } from "../../lib/index.js";
import { seeded } from "./random.js";

const KINDS = EVENT_KINDS.length;
const TOP_OF_52_BITS = 2 ** 52 - 8;
const HIGHEST = Number.MAX_SAFE_INTEGER;

/** One row of every kind, and the ends of every range. */
export function everyEvent(): EventBatch {
  const batch = new EventBatch(64, { extra: true });
  for (let kind = 1; kind < KINDS; kind++) push(batch, kind, [0x5000, 0x3000, 0, kind % 4, kind % 8]);
  for (let access = 1; access < 8; access++) push(batch, 0, [0x1008, 0, 0x182, 3, access]);
  for (const access of [0, 1, 2, 3]) push(batch, EVENT_KINDS.indexOf("attributes"), [0, 4096, 0, 0, access]);
  push(batch, 0, [TOP_OF_52_BITS, 0, HIGHEST - 1, 65_535, 2], 143.423093, 0x8100_0001, 0xffff_ffff);
  push(batch, 0, [0, 0, 1, 0, 1], 5e-324, 0xffff_ffff, 0);
  push(batch, EVENT_KINDS.indexOf("hva-begin"), [2 ** 52, 2 ** 52 - 4096, 0, 0, 0], 1e17, 0, 0x8000_0000);
  return batch;
}

/** `rows` rows that a seed chose, within the ranges that a format has to keep. */
export function randomEvents(seed: number, rows: number): EventBatch {
  const random = seeded(seed);
  const batch = new EventBatch(rows, { extra: true });
  for (let row = 0; row < rows; row++) {
    const kind = random.once(3) ? random.below(KINDS) : 0;
    const access = kind === 0 ? 1 + random.below(7) : random.below(256);
    const bits = 1 + random.below(52);
    const numbers = [random.below(2 ** bits), kind === 0 ? 0 : random.below(2 ** 40), random.below(2 ** 53)];
    push(batch, kind, [...numbers, random.below(65_536), access], random.below(2 ** 40) / 1e6, row, row * 7);
  }
  return batch;
}

function push(
  batch: EventBatch,
  kind: number,
  [gpa = 0, bytes = 0, errorCode = 0, vcpu = 0, access = 0]: readonly number[],
  time = 0,
  ripLow = 0,
  ripHigh = 0,
): void {
  batch.pushRow(kind, gpa, bytes, vcpu, access);
  const row = batch.count - 1;
  batch.errorCode[row] = errorCode;
  batch.time?.fill(time, row, row + 1);
  batch.ripLow?.fill(ripLow, row, row + 1);
  batch.ripHigh?.fill(ripHigh, row, row + 1);
}
