/**
 * The bounce buffer of a recorded guest, shared as a TDX guest would share it:
 * what each half of the v5 patch makes of it, access by access and table by
 * table.
 */
import { afterEach, describe, expect, test } from "vitest";
import {
  applyPlan,
  createVm,
  OUTCOMES,
  OutcomeBatch,
  openTrace,
  planReplay,
  type Vm,
} from "../../lib/index.js";
import { projected, startProjection } from "../../lib/replay-projection.js";
import { FS_BOUNCE } from "./run-cli.js";

const SHARED = 2 ** 47;
const BATCH = 65_536;
const STUCK = OUTCOMES.indexOf("stuck");
const MINUTES = 60_000;

type Place = "bounce" | "ram" | "rom" | "mmio";

interface Found {
  readonly vm: Vm;
  readonly stuck: Record<Place, number>;
}

let vm: Vm | undefined;
afterEach(() => vm?.close());

/** The capture under a pair, and where its accesses were stuck. */
async function bounced(strategy: string, mmu: "tdp" | "rmap"): Promise<Found> {
  const trace = await openTrace(FS_BOUNCE, { hash: false });
  const config = { alias: { strategy, preset: "tdx47" }, mmu };
  const plan = await planReplay(trace, { project: "bounce", config });
  vm = createVm(plan.config);
  applyPlan(vm, plan);
  const projecting = await startProjection(plan.project, vm, trace);
  const outcomes = new OutcomeBatch(BATCH);
  const stuck = { bounce: 0, ram: 0, rom: 0, mmio: 0 };
  const place = placesOf(vm);
  for await (const events of projected(trace.batches({ size: BATCH, extra: true }), projecting, BATCH)) {
    await vm.run(events, outcomes);
    for (let row = 0; row < events.count; row++) {
      if (outcomes.outcome[row] === STUCK) stuck[place(events.gpa[row] as number)]++;
    }
  }
  return { vm, stuck };
}

/** By the memslots, and by the buffer that the guest's own log names. */
function placesOf({ memslots }: Vm): (gpa: number) => Place {
  const slots = [...memslots];
  return (issued) => {
    const gpa = issued % SHARED;
    const slot = slots.find((each) => gpa >= each.gpa && gpa < each.gpa + each.bytes);
    if (slot === undefined) return "mmio";
    if (slot.readonly) return "rom";
    return gpa >= 0xbbe30000 && gpa < 0xbfe30000 ? "bounce" : "ram";
  };
}

describe.each(["v5-as-posted", "v5-as-reviewed"])("%s", (strategy) => {
  test(
    "tdp: stuck at every access to the buffer and every read of ROM, and nowhere else",
    async () => {
      const { stuck } = await bounced(strategy, "tdp");
      expect(stuck).toEqual({ bounce: 16_385, ram: 0, rom: 40, mmio: 0 });
    },
    MINUTES,
  );

  test(
    "rmap: never stuck, as one table has two parents and both aliases lead to it",
    async () => {
      const { vm, stuck } = await bounced(strategy, "rmap");
      expect(stuck).toEqual({ bounce: 0, ram: 0, rom: 0, mmio: 0 });
      const tables = tablesOf(vm);
      expect(tables.filter(({ parents }) => parents > 1)).toEqual([{ gpa: 0, level: 3, parents: 2 }]);
      const others = tables.filter(({ level, gpa }) => level < 4 && !(level === 3 && gpa === 0));
      expect(new Set(others.map(({ parents }) => parents))).toEqual(new Set([1]));
      const last = tables.filter(({ level }) => level === 1);
      expect(last.length).toBeGreaterThan(100);
      for (const { gpa } of last) {
        expect(entriesTo(vm, gpa).length).toBe(4);
        expect(entriesTo(vm, gpa + SHARED)).toEqual(entriesTo(vm, gpa));
      }
    },
    MINUTES,
  );
});

test(
  "stolen-bits, rmap: every table has one parent, and no level-1 table is below both aliases",
  async () => {
    const { vm } = await bounced("stolen-bits", "rmap");
    const tables = tablesOf(vm);
    expect(tables.filter(({ level, parents }) => parents !== (level === 4 ? 0 : 1))).toEqual([]);
    const links = (gpa: number) => entriesTo(vm, gpa).slice(0, 3);
    for (const { gpa } of tables.filter(({ level }) => level === 1)) {
      expect(links((gpa + SHARED) % (2 * SHARED))).not.toEqual(links(gpa));
    }
  },
  MINUTES,
);

function tablesOf(vm: Vm) {
  const { gpa, level, parents } = vm.tableList();
  return Array.from(gpa, (at, i) => ({
    gpa: at,
    level: level[i] as number,
    parents: parents[i] as number,
  }));
}

const entriesTo = (vm: Vm, gpa: number): bigint[] => vm.walk(gpa).map(({ spte }) => spte);
