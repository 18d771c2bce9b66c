/**
 * The reference model by itself replays recorded guests. The expected figures
 * come from a third program that only counted; nothing here runs the engine.
 */
import { expect, test } from "vitest";
import { type CaptureRecord, captureRecords, captureSlots, findCapture } from "../support/capture.js";
import { LOG_DIRTY, READONLY, type ReferenceOutcome } from "./reference/types.js";
import { ReferenceMmu } from "./reference-mmu.js";

interface Tally {
  accesses: number;
  mmio: number;
  fixed: number;
  hit: number;
  emulate: number;
  zaps: number;
  rounds: number;
  reaping: number;
}

function aGuest(json: URL, isLogged: boolean): ReferenceMmu {
  const vm = new ReferenceMmu({
    addressBits: 48,
    rootLevel: 4,
    hostMaxphyaddr: 48,
    vcpus: 2,
    policy: "none",
  });
  for (const { slot, gpa, size, readonly } of captureSlots(json)) {
    const flags = (readonly ? READONLY : 0) + (isLogged && !readonly ? LOG_DIRTY : 0);
    const hva = 2 ** 40 + Number(gpa);
    vm.setMemslot({ slot, flags, gpa: Number(gpa), bytes: Number(size), hva, backing: 1 });
  }
  return vm;
}

function count(tally: Tally, record: CaptureRecord, outcome: ReferenceOutcome): void {
  if (record.kind === "zap-all-fast") tally.zaps += 1;
  if (record.kind === "dirty-log-get") tally.rounds += 1;
  if (record.kind !== "access") return;
  if (record.isMmio) {
    if (outcome.result === "emulate") tally.mmio += 1;
    return;
  }
  tally.accesses += 1;
  tally[outcome.result as "fixed" | "hit" | "emulate"] += 1;
}

async function replay(vm: ReferenceMmu, file: URL, limit?: number): Promise<Tally> {
  const tally = { accesses: 0, mmio: 0, fixed: 0, hit: 0, emulate: 0, zaps: 0, rounds: 0, reaping: 0 };
  for await (const record of captureRecords(file, limit)) {
    // A round reaps if it takes a bit, even one whose page has no leaf any more.
    if (record.kind === "dirty-log-get" && dirtyPages(vm) > 0) tally.reaping += 1;
    count(tally, record, vm.apply({ ...record, bytes: 0 }));
  }
  return tally;
}

function dirtyPages(vm: ReferenceMmu): number {
  return vm.slots().reduce((sum, slot) => sum + (slot.dirty?.size ?? 0), 0);
}

const quiet = { zaps: 0, rounds: 0, reaping: 0 };
const boot = { accesses: 80_344, mmio: 59_042, fixed: 71_387, hit: 8_904, emulate: 53, ...quiet };
const cases = [
  { name: "boot-q35-2c-1g", tally: boot, mapped: 71_387 },
  { name: "boot-q35-2c-1g", tally: boot, mapped: 71_387, fast: 0, dirty: 71_347 },
  {
    name: "fs-bounce-pc-2c-4g",
    tally: { accesses: 82_357, mmio: 136_174, fixed: 81_741, hit: 563, emulate: 53, ...quiet },
    mapped: 81_741,
  },
  {
    name: "storm-q35-2c-1g",
    limit: 200_000,
    tally: { accesses: 197_057, fixed: 194_759, hit: 2_173, emulate: 125, rounds: 1_183, reaping: 1_183 },
    mapped: 345,
    fast: 7_357,
    dirty: undefined,
  },
];

for (const { name, limit, tally, mapped, ...logged } of cases) {
  const file = findCapture(`${name}.faults.bin.br`);
  const json = findCapture(`${name}.json`);
  const isLogged = "dirty" in logged;
  const what = `${limit === undefined ? "" : `the first ${limit} records of `}${name}${isLogged ? ", logged," : ""}`;
  if (file === undefined || json === undefined)
    console.warn(`SKIPPED: ${name} is neither here nor beside us`);

  test.skipIf(file === undefined || json === undefined)(`${what} gives the known counts`, async () => {
    if (file === undefined || json === undefined) return;
    const vm = aGuest(json, isLogged);
    expect(await replay(vm, file, limit)).toMatchObject(tally);
    expect(vm.stats()).toMatchObject({ pages_4k: mapped, pf_fast: logged.fast ?? 0 });
    if (logged.dirty !== undefined) expect(dirtyPages(vm)).toBe(logged.dirty);
  });
}
