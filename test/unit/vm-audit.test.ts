// Audits as a user asks for them: of a VM, in runs, and in a replay.
import { describe, expect, test } from "vitest";
import { createVm, EventBatch, OutcomeBatch, replay, type Vm } from "../../lib/index.js";
import { traceOf } from "../support/fake-trace.js";
import { wholeVm } from "../support/whole-vm.js";
import { rejectionOf, thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const PAGE = 0x100000;
const ALIASED = PAGE + 2 ** 47;
const HOLE = 2 ** 30;
const RULE = "accounting-mismatch";

/** Its range flushes leave one alias cached (D2). */
function aVm(): Vm {
  const vm = createVm({
    alias: { strategy: "v5-as-posted", preset: "bits:47" },
    mmu: "rmap",
    flushProvider: "hyperv",
    tlb: { entries: 16, ways: 4 },
  });
  vm.memslots.add({ gpa: PAGE, bytes: 4096, dirtyLog: true });
  return vm;
}

/** Both aliases are cached as writable, the round takes W, and from event 2 on one of them is stale. */
function fillRow(batch: EventBatch, row: number): void {
  if (row < 2) batch.pushAccess(row === 0 ? PAGE : ALIASED, "write");
  else if (row === 2) batch.pushOperation("dirty-log-get");
  else batch.pushAccess(HOLE + 4096 * row, "read");
}
const EVENTS = 10;

const audited = async (audit: number | undefined, batchSize = 64) => {
  using vm = aVm();
  const result = await replay(vm, traceOf(EVENTS, fillRow), {
    batchSize,
    ...(audit !== undefined && { audit }),
  });
  return result.violations.filter(({ rule }) => rule === RULE);
};

describe.skipIf(!hasAddon)("audit", () => {
  test("of a VM that keeps its books finds nothing, and says after how many events", () => {
    using vm = createVm({ mmu: "rmap", tlb: { entries: 16, ways: 4 } });
    vm.memslots.add({ gpa: 0, bytes: 2 ** 30 });
    for (let i = 0; i < 40; i++) vm.access(i * 2 ** 16, "write");
    expect(vm.audit()).toEqual({ events: 40, count: 0, findings: [] });
  });

  test("says rule, defect, reason and place, and changes nothing", () => {
    using vm = aVm();
    vm.access(PAGE, "write");
    vm.access(ALIASED, "write");
    vm.takeDirtyLogs();
    const before = wholeVm(vm, [PAGE, ALIASED]);
    const finding = {
      rule: RULE,
      defect: "D2",
      reason: "vCPU 0 has cached rights 7, where the tables grant 5",
      gpa: ALIASED,
      level: 1,
      root: 0,
    };
    expect(vm.audit()).toEqual({ events: 3, count: 1, findings: [finding] });
    expect(wholeVm(vm, [PAGE, ALIASED])).toBe(before);
  });

  test("is refused while a run is in flight", async () => {
    using vm = aVm();
    const events = new EventBatch(1);
    events.pushAccess(PAGE, "read");
    const run = vm.run(events, new OutcomeBatch(1));
    expect(thrownBy(() => vm.audit()).code).toBe("ERR_BUSY");
    expect(thrownBy(() => vm.auditEvery(1)).code).toBe("ERR_BUSY");
    await run;
  });
});

describe.skipIf(!hasAddon)("auditEvery", () => {
  test.each([
    [-1, RangeError],
    [0.5, RangeError],
    [2 ** 53, RangeError],
    ["10", TypeError],
    [undefined, TypeError],
  ])("refuses %s, and audits nothing then", (events, kind) => {
    using vm = aVm();
    const error = thrownBy(() => vm.auditEvery(events as number));
    expect(error).toBeInstanceOf(kind);
    expect(error.code).toBe("ERR_CONFIG");
    for (let row = 0; row < 2; row++) vm.access(row === 0 ? PAGE : ALIASED, "write");
    vm.takeDirtyLogs();
    expect(vm.violations().map(({ rule }) => rule)).not.toContain(RULE);
  });

  test("counts what it finds among the violations, at the event before", () => {
    using vm = aVm();
    vm.auditEvery(1);
    vm.access(PAGE, "write");
    vm.access(ALIASED, "write");
    expect(vm.violations().map(({ rule }) => rule)).toEqual(["alias-shared-leaf"]);
    vm.takeDirtyLogs();
    vm.access(HOLE, "read");
    expect(vm.violations().find(({ rule }) => rule === RULE)).toEqual({
      rule: RULE,
      count: 2,
      firstEvent: 2,
      gpa: ALIASED,
      defect: "D2",
      reason: "vCPU 0 has cached rights 7, where the tables grant 5",
    });
  });
});

describe.skipIf(!hasAddon)("a replay with audit", () => {
  test.each([
    [1, 8, 2],
    [2, 4, 3],
    [3, 4, 2],
    [4, 3, 3],
    [7, 2, 6],
    [100, 1, 9],
    [0, 1, 9],
  ])(
    "after every %i events finds a stale entry %i times, first after event %i",
    async (audit, count, first) => {
      for (const batchSize of [64, 10, 4, 3, 1]) {
        expect(await audited(audit, batchSize)).toMatchObject([{ count, firstEvent: first, defect: "D2" }]);
      }
    },
  );

  test("does not look unless it is told to, and not any more when it is over", async () => {
    expect(await audited(undefined)).toEqual([]);
    using vm = aVm();
    const result = await replay(vm, traceOf(EVENTS, fillRow), { audit: 1 });
    vm.access(HOLE, "read");
    const counts = (all: readonly { rule: string; count: number }[]) =>
      all.find(({ rule }) => rule === RULE)?.count;
    expect(counts(vm.violations())).toBe(counts(result.violations));
  });

  test.each([-1, 1.5, "5"])("refuses %s as a period", async (audit) => {
    using vm = aVm();
    const options = { audit: audit as number };
    expect((await rejectionOf(replay(vm, traceOf(EVENTS, fillRow), options))).code).toBe("ERR_CONFIG");
  });
});
