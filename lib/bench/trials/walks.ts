/**
 * Walks alone, addresses in and entries out: `vm.walkBatch` beside tables that
 * scripts keep by themselves.
 */
import { WalkBatch } from "../../columns/walk-batch.js";
import { BATCH, mappedVm } from "../mapped-vm.js";
import { mostTables, randomPages, SHAPES, type Shape, shuffled } from "../pages.js";
import { HalvesTable } from "../peers/halves-table.js";
import { cpuNs, type Sides, type Trial } from "../trial.js";

/** Lookups of one turn: the slowest peer takes a microsecond for each. */
const LOOKUPS = 2 ** 19;
const WRITE = 2;
const PAGE = 4096;

/** Looks up rows [from, from + BATCH), and counts those that are there. */
type Lookup = (from: number) => number;
type Peer = (shape: Shape, mapped: Float64Array, gpas: Float64Array) => Lookup;

function sidesOf(shape: Shape, peer: Peer): Sides {
  const mapped = randomPages(shape);
  const gpas = shuffled(mapped.slice(), 2).slice(0, Math.min(LOOKUPS, shape.pages));
  const vm = mappedVm(shape, mapped);
  const batches = batchesOf(gpas);
  const lookup = peer(shape, mapped, gpas);
  let found = 0;
  return {
    events: gpas.length,
    engine: () =>
      cpuNs(() => {
        for (const batch of batches) vm.walkBatch(batch);
      }),
    beside: () =>
      cpuNs(() => {
        found = 0;
        for (let from = 0; from < gpas.length; from += BATCH) found += lookup(from);
      }),
    holds: () => found === gpas.length && batches.every(({ level }) => level.every((each) => each === 1)),
    close: () => vm.close(),
  };
}

function batchesOf(gpas: Float64Array): readonly WalkBatch[] {
  return Array.from({ length: gpas.length / BATCH }, (_, index) => {
    const batch = new WalkBatch(BATCH);
    batch.gpa.set(gpas.subarray(index * BATCH, (index + 1) * BATCH));
    return batch;
  });
}

const byHalves: Peer = (shape, mapped, gpas) => {
  const table = new HalvesTable(mostTables(shape));
  for (const gpa of mapped) table.insert(gpa, WRITE);
  const [low, high] = [new Uint32Array(BATCH), new Uint32Array(BATCH)];
  return (from) => {
    table.walk(gpas.subarray(from, from + BATCH), low, high);
    // Enough to see that they are there: the columns are what the engine gives, too.
    return low[0] === 0 || low[BATCH - 1] === 0 ? 0 : BATCH;
  };
};

const byMapOfNumbers: Peer = (_, mapped, gpas) => {
  const entries = new Map<number, number>();
  for (const gpa of mapped) entries.set(gpa / PAGE, gpa + 3);
  const out = new Float64Array(BATCH);
  return (from) => {
    let found = 0;
    for (let i = 0; i < BATCH; i++) {
      const entry = entries.get(Math.floor((gpas[from + i] as number) / PAGE)) ?? 0;
      out[i] = entry;
      if (entry !== 0) found++;
    }
    return found;
  };
};

const byMapOfBigInts: Peer = (_, mapped, gpas) => {
  const entries = new Map<bigint, bigint>();
  for (const gpa of mapped) entries.set(BigInt(gpa) >> 12n, BigInt(gpa) | 3n);
  const asked = BigUint64Array.from(gpas, (gpa) => BigInt(gpa));
  const out = new BigUint64Array(BATCH);
  return (from) => {
    let found = 0;
    for (let i = 0; i < BATCH; i++) {
      const entry = entries.get((asked[from + i] as bigint) >> 12n) ?? 0n;
      out[i] = entry;
      if (entry !== 0n) found++;
    }
    return found;
  };
};

interface Row {
  readonly name: string;
  readonly beside: string;
  readonly peer: Peer;
  /** Of each shape. */
  readonly targets: readonly number[];
  /** Of each page. */
  readonly bytes: number;
}

const ROWS: readonly Row[] = [
  {
    name: "walk-halves",
    beside: "a page table in Uint32Arrays",
    peer: byHalves,
    targets: [1 / 3, 1 / 6, 1 / 6],
    bytes: 0,
  },
  {
    name: "walk-map-bigint",
    beside: "a Map from frame to entry, both BigInt",
    peer: byMapOfBigInts,
    targets: [1 / 40, 1 / 40, 1 / 40],
    bytes: 110,
  },
  {
    name: "walk-map-number",
    beside: "a Map from frame to entry, both numbers",
    peer: byMapOfNumbers,
    targets: [],
    bytes: 70,
  },
];

const trial = ({ name, beside, peer, targets, bytes }: Row, shape: Shape, index: number): Trial => ({
  name: `${name}-${shape.gib}GiB`,
  what: "vm.walkBatch, addresses in and entries out",
  beside,
  unit: "walk",
  // Two orders of the pages, both sides' tables, columns.
  bytes: shape.pages * (16 + bytes) + mostTables(shape) * 2 * PAGE + 2 ** 26,
  prepare: () => sidesOf(shape, peer),
  ...(targets[index] !== undefined && { target: targets[index] }),
});

export default ROWS.flatMap((row) => SHAPES.map((shape, index) => trial(row, shape, index)));
