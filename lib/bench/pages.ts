/** Pages in an order that is random and the same in every process, and batches of accesses to them. */
import { EventBatch } from "../columns/event-batch.js";

const PAGE = 4096;
const GIB = 2 ** 30;

/** So many pages, all over so much memory. */
export interface Shape {
  readonly pages: number;
  readonly gib: number;
}

/** Every page of 1 and of 16 GiB, one in 16 of 256 GiB. */
export const SHAPES: readonly [Shape, Shape, Shape] = [
  { pages: 2 ** 18, gib: 1 },
  { pages: 2 ** 22, gib: 16 },
  { pages: 2 ** 22, gib: 256 },
];

export const spanOf = ({ gib }: Shape): number => gib * GIB;

/** Most tables that map the pages, of any level. */
export const mostTables = ({ pages, gib }: Shape): number =>
  Math.min(pages, gib * 512) + Math.min(pages, gib) + 64;

// Marsaglia's xorshift32: enough for an order, and the same everywhere.
function randomFrom(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b9);
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Distinct gpas of pages, in a random order. */
export function randomPages(shape: Shape): Float64Array {
  const all = spanOf(shape) / PAGE;
  if (all === shape.pages)
    return shuffled(
      Float64Array.from({ length: all }, (_, page) => page * PAGE),
      1,
    );
  const random = randomFrom(1);
  const isTaken = new Uint8Array(all);
  const gpas = new Float64Array(shape.pages);
  for (let found = 0; found < shape.pages; ) {
    const page = random(all);
    if (isTaken[page] === 0) gpas[found++] = page * PAGE;
    isTaken[page] = 1;
  }
  return gpas;
}

/** In place. */
export function shuffled(gpas: Float64Array, seed: number): Float64Array {
  const random = randomFrom(seed);
  for (let last = gpas.length - 1; last > 0; last--) {
    const other = random(last + 1);
    const gpa = gpas[last] as number;
    gpas[last] = gpas[other] as number;
    gpas[other] = gpa;
  }
  return gpas;
}

/** A write to each, in batches of `size` rows. */
export function writesOf(gpas: Float64Array, size: number): readonly EventBatch[] {
  return Array.from({ length: Math.ceil(gpas.length / size) }, (_, index) => {
    const part = gpas.subarray(index * size, (index + 1) * size);
    const batch = new EventBatch(size);
    for (const gpa of part) batch.pushAccess(gpa, "write");
    return batch;
  });
}
