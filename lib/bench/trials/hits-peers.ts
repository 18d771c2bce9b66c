/**
 * Hits through `vm.runSync`, beside what a script would do without the engine:
 * one lookup and one test of a permission for each event, and nothing else that
 * the engine does.
 */
import { OUTCOMES } from "../../columns/layout.js";
import { OutcomeBatch } from "../../columns/outcome-batch.js";
import { BATCH, mappedVm } from "../mapped-vm.js";
import { mostTables, randomPages, SHAPES, shuffled, writesOf } from "../pages.js";
import { HalvesTable } from "../peers/halves-table.js";
import { cpuNs, type Sides, type Trial } from "../trial.js";

const [SHAPE] = SHAPES;
const PAGE = 4096;
const WRITE = 2;
const HIT = OUTCOMES.indexOf("hit");
const FIXED = OUTCOMES.indexOf("fixed");

/** Writes an outcome for each gpa. */
type Script = (outcomes: Uint8Array) => void;

function sidesOf(scriptFor: (mapped: Float64Array, gpas: Float64Array) => Script): Sides {
  const mapped = randomPages(SHAPE);
  const gpas = shuffled(mapped.slice(), 2);
  const vm = mappedVm(SHAPE, mapped);
  const batches = writesOf(gpas, BATCH);
  const outcomes = new OutcomeBatch(BATCH);
  const script = scriptFor(mapped, gpas);
  const scripts = new Uint8Array(gpas.length);
  return {
    events: gpas.length,
    engine: () =>
      cpuNs(() => {
        for (const batch of batches) vm.runSync(batch, outcomes);
      }),
    beside: () => cpuNs(() => script(scripts)),
    // A hit takes no fault.
    holds: () => vm.stats()["pf_taken"] === mapped.length && scripts.every((code) => code === HIT),
    close: () => vm.close(),
  };
}

function byMapOfNumbers(mapped: Float64Array, gpas: Float64Array): Script {
  const entries = new Map(Array.from(mapped, (gpa) => [gpa / PAGE, WRITE]));
  return (outcomes) => {
    for (let i = 0; i < gpas.length; i++) {
      const entry = entries.get(Math.floor((gpas[i] as number) / PAGE)) ?? 0;
      outcomes[i] = (entry & WRITE) !== 0 ? HIT : FIXED;
    }
  };
}

function byMapOfBigInts(mapped: Float64Array, gpas: Float64Array): Script {
  const entries = new Map(Array.from(mapped, (gpa) => [BigInt(gpa) >> 12n, BigInt(WRITE)]));
  const asked = BigUint64Array.from(gpas, (gpa) => BigInt(gpa));
  return (outcomes) => {
    for (let i = 0; i < asked.length; i++) {
      const entry = entries.get((asked[i] as bigint) >> 12n) ?? 0n;
      outcomes[i] = (entry & 2n) !== 0n ? HIT : FIXED;
    }
  };
}

function byHalves(mapped: Float64Array, gpas: Float64Array): Script {
  const table = new HalvesTable(mostTables(SHAPE));
  for (const gpa of mapped) table.insert(gpa, WRITE);
  const [low, high] = [new Uint32Array(BATCH), new Uint32Array(BATCH)];
  return (outcomes) => {
    for (let from = 0; from < gpas.length; from += BATCH) {
      table.walk(gpas.subarray(from, from + BATCH), low, high);
      for (let i = 0; i < BATCH; i++) {
        outcomes[from + i] = ((low[i] as number) & WRITE) !== 0 ? HIT : FIXED;
      }
    }
  };
}

const trial = (name: string, beside: string, script: Parameters<typeof sidesOf>[0]): Trial => ({
  name: `${name}-${SHAPE.gib}GiB`,
  what: "vm.runSync over batches of 65,536 hits",
  beside,
  unit: "event",
  bytes: 160 * 2 ** 20,
  prepare: () => sidesOf(script),
});

export default [
  trial("hits-map-number", "a Map from frame to permissions", byMapOfNumbers),
  trial("hits-map-bigint", "a Map from frame to permissions, both BigInt", byMapOfBigInts),
  trial("hits-halves", "a page table in Uint32Arrays", byHalves),
] satisfies readonly Trial[];
