import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { createVm, EventBatch, OutcomeBatch, type Vm } from "../../lib/index.js";
import { rejectionOf, thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const GiB = 2 ** 30;
const ROWS = 65_536;
/** So many that whatever is done right after the start is done before the end. */
const MANY_ROWS = 2 ** 20;

function aVm(config = {}): Vm {
  const vm = createVm(config);
  vm.memslots.add({ gpa: 0, bytes: GiB });
  return vm;
}

/** `rows` writes to different pages, over and over where there are no more. */
function touches(rows: number, capacity = rows): EventBatch {
  const batch = new EventBatch(capacity);
  for (let page = 0; page < rows; page++) batch.pushAccess((page * 4096) % GiB, "write");
  return batch;
}

describe.skipIf(!hasAddon)("single steps", () => {
  test("the first write faults, the second hits, and the walk shows why", () => {
    using vm = aVm();
    expect(vm.access(0x1234, "write")).toMatchObject({ result: "fixed", pageSize: "4K" });
    expect(vm.access(0x1000, ["read", "write"])).toMatchObject({
      result: "hit",
      tablesRead: 4,
      sptesChanged: 0,
    });
    const steps = vm.walk(0x1fff);
    expect(steps.map(({ level, isLeaf }) => [level, isLeaf])).toEqual([
      [4, false],
      [3, false],
      [2, false],
      [1, true],
    ]);
    expect(typeof steps[3]?.spte).toBe("bigint");
    expect(vm.rmap(0x1000)).toMatchObject([{ gpa: 0x1000, bytes: 4096, pageSize: "4K" }]);
    expect([...vm.leaves().gpa]).toEqual([0x1000]);
  });

  test("memory without a slot is MMIO: emulated, and shown among the leaves only if asked for", () => {
    using vm = aVm();
    expect(vm.access(0xfee00000, "read").result).toBe("emulate");
    expect([vm.leaves().gpa.length, vm.leaves({ mmio: true }).gpa.length]).toEqual([0, 1]);
    expect(vm.stats()).toMatchObject({ pf_taken: 1, pf_emulate: 1, pf_mmio_spte_created: 1 });
  });

  test("a vCPU's statistics are its own, and one that does not exist has none", () => {
    using vm = createVm({ vcpus: 2 });
    vm.memslots.add({ gpa: 0, bytes: GiB });
    vm.access(0, "write", { vcpu: 1 });
    expect(vm.vcpuStats(0)).toMatchObject({ pf_taken: 0, exits: 0, tlb_flush: 0 });
    expect(vm.vcpuStats(1)).toMatchObject({ pf_taken: 1, pf_fixed: 1, exits: 1, mmio_exits: 0 });
    expect(vm.vcpuStats(1)).not.toHaveProperty("pages_4k");
    expect(() => vm.vcpuStats(2)).toThrow(expect.objectContaining({ code: "ERR_EVENT" }));
    for (const vcpu of [-1, 0.5, 65536, Number.NaN])
      expect(() => vm.vcpuStats(vcpu)).toThrow(expect.objectContaining({ code: "ERR_CONFIG" }));
  });

  test("kernel 5.10 has fewer statistics, and other names for some", () => {
    using vm = createVm({ kernel: "5.10" });
    expect(vm.stats()).toMatchObject({ largepages: 0, nx_largepages_splitted: 0, mmu_pte_updated: 0 });
    expect(vm.stats()).not.toHaveProperty("pf_taken");
  });

  test("zap drops a range, zapAll everything", () => {
    using vm = aVm();
    for (const gpa of [0, 4096, 8192]) vm.access(gpa, "read");
    expect(vm.zap(4096, 4096)).toMatchObject({ result: "done", sptesChanged: 1 });
    expect([...vm.leaves().gpa]).toEqual([0, 8192]);
    expect(vm.zapAll().sptesChanged).toBe(2);
    expect(vm.tables().roots).toBe(0);
  });

  test("takeDirtyLogs clears and re-arms every logged slot", () => {
    using vm = createVm();
    const slots = [0, 1].map((n) => vm.memslots.add({ gpa: n * GiB, bytes: GiB, dirtyLog: true }));
    vm.access(0, "write");
    vm.access(GiB, "write");
    expect(vm.takeDirtyLogs()).toMatchObject({ result: "done", sptesChanged: 2 });
    expect(slots.map((slot) => slot.dirtyPages)).toEqual([0, 0]);
    expect(vm.access(0, "write").result).toBe("fixed");
    expect(vm.stats()["pf_fast"]).toBe(1);
  });

  test("tables are counted by level, up to the root's", () => {
    using vm = aVm({ rootLevel: 5 });
    vm.access(0, "read");
    const { roots, byLevel, bytes } = vm.tables();
    expect({ roots, byLevel }).toEqual({ roots: 1, byLevel: { "1": 1, "2": 1, "3": 1, "4": 1, "5": 1 } });
    expect(bytes).toBeGreaterThanOrEqual(4 * 4096);
  });

  test.each([
    ["gpa above the width", (vm: Vm) => vm.access(2 ** 48, "read"), "gpa must be below 2^48 (addressBits)"],
    ["gpa with a fraction", (vm: Vm) => vm.access(0.5, "read"), "gpa must be an integer"],
    ["gpa as text", (vm: Vm) => vm.access("x" as never, "read"), "gpa must be a hex or decimal number"],
    [
      "an access that is none",
      (vm: Vm) => vm.access(0, "exec" as never),
      'access must be "read", "write", "fetch"',
    ],
    ["no access", (vm: Vm) => vm.access(0, []), "access must be at least one"],
    [
      "a vCPU that is not there",
      (vm: Vm) => vm.access(0, "read", { vcpu: 1 }),
      "vcpu must be an integer from 0 to 0",
    ],
    [
      "an option that access does not have",
      (vm: Vm) => vm.access(0, "read", { vpcu: 3 } as never),
      'access has no key "vpcu"; did you mean vcpu?',
    ],
    [
      "null for access's options",
      (vm: Vm) => vm.access(0, "read", null as never),
      "access must be an object",
    ],
    ["null for leaves' options", (vm: Vm) => vm.leaves(null as never), "leaves must be an object, got null"],
    ["a number for mmio", (vm: Vm) => vm.leaves({ mmio: 1 } as never), "mmio must be true or false, got 1"],
    [
      "an address space that is not there",
      (vm: Vm) => vm.generation(2),
      "asId must be an integer from 0 to 1",
    ],
  ])("%s is refused before the engine sees it", (_, call, sentence) => {
    using vm = aVm();
    const error = thrownBy(() => call(vm));
    expect([error.code, error.message.startsWith(sentence), error.message]).toEqual([
      "ERR_CONFIG",
      true,
      error.message,
    ]);
    expect(vm.stats()["pf_taken"]).toBe(0);
  });

  test("a zap that is not page-aligned is refused by the engine, by value", () => {
    using vm = aVm();
    expect(thrownBy(() => vm.zap(0x800, 4096)).code).toBe("ERR_EVENT");
  });

  test("generations of the address spaces start at their number and step by two", () => {
    using vm = createVm();
    expect([vm.generation(), vm.generation(1)]).toEqual([0, 1]);
    vm.memslots.add({ gpa: 0, bytes: GiB, asId: 1 });
    expect([vm.generation(), vm.generation(1)]).toEqual([0, 3]);
  });
});

describe.skipIf(!hasAddon)("batches", () => {
  test("run and runSync write the same outcomes", async () => {
    using sync = aVm();
    using async_ = aVm();
    const outcomes = [new OutcomeBatch(1000), new OutcomeBatch(1000)] as const;
    sync.runSync(touches(1000), outcomes[0]);
    await async_.run(touches(1000), outcomes[1]);
    expect(outcomes[1].buffer).toEqual(outcomes[0].buffer);
    expect([outcomes[0].count, outcomes[0].at(999).result]).toEqual([1000, "fixed"]);
  });

  test("only filled rows run", () => {
    using vm = aVm();
    const outcomes = new OutcomeBatch(8);
    vm.runSync(touches(3, 8), outcomes);
    expect([outcomes.count, vm.stats()["pf_taken"]]).toEqual([3, 3]);
  });

  test("capacities that differ are refused, and the event batch stays as it was", () => {
    using vm = aVm();
    const events = touches(3);
    expect(thrownBy(() => vm.runSync(events, new OutcomeBatch(4)))).toMatchObject({
      code: "ERR_BATCH",
      values: { applied: 0 },
    });
    expect(events.state).toBe("filling");
  });

  test("a bad row is named, and nothing of its batch is applied", () => {
    using vm = aVm();
    const events = touches(3);
    events.gpa[1] = 2 ** 48;
    const error = thrownBy(() => vm.runSync(events, new OutcomeBatch(3)));
    expect(error).toMatchObject({ code: "ERR_EVENT", values: { row: 1, applied: 0 } });
    expect([vm.stats()["pf_taken"], events.state]).toEqual([0, "read"]);
  });

  test("an event batch is running until its run has ended", async () => {
    using vm = aVm();
    const events = touches(ROWS);
    const run = vm.run(events, new OutcomeBatch(ROWS));
    expect(events.state).toBe("running");
    expect(thrownBy(() => events.reset()).code).toBe("ERR_BUSY");
    await run;
    expect(events.state).toBe("read");
  });

  test("while a run is in flight other calls are refused with ERR_BUSY", async () => {
    using vm = aVm();
    const run = vm.run(touches(ROWS), new OutcomeBatch(ROWS));
    expect(thrownBy(() => vm.access(0, "read")).code).toBe("ERR_BUSY");
    const second = await rejectionOf(vm.run(touches(1), new OutcomeBatch(1)));
    expect(second.code).toBe("ERR_BUSY");
    await run;
    expect(vm.access(0, "read").result).toBe("hit");
  });

  test("an aborted run counts what it had applied, and another run may follow", async () => {
    using vm = aVm();
    const controller = new AbortController();
    const outcomes = new OutcomeBatch(MANY_ROWS);
    const run = vm.run(touches(MANY_ROWS), outcomes, { signal: controller.signal });
    controller.abort();
    const error = await rejectionOf(run);
    const { applied } = error.values as { applied: number };
    expect(error.code).toBe("ERR_ABORTED");
    // From the second time around they are hits.
    expect([outcomes.count, vm.stats()["pf_taken"]]).toEqual([applied, Math.min(applied, GiB / 4096)]);
    await vm.run(touches(ROWS, MANY_ROWS), outcomes);
    expect(vm.stats()["pages_4k"]).toBeGreaterThanOrEqual(ROWS);
  });

  test("a run that is refused because another one is in flight does not listen to its signal", async () => {
    using vm = aVm();
    const controller = new AbortController();
    const events = touches(1);
    const run = vm.run(touches(ROWS), new OutcomeBatch(ROWS));
    const second = rejectionOf(vm.run(events, new OutcomeBatch(1), { signal: controller.signal }));
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    controller.abort();
    expect((await second).code).toBe("ERR_BUSY");
    expect(events.state).toBe("filling");
    await run;
    await vm.run(events, new OutcomeBatch(1));
  });

  test("a transfer in mid-run takes nothing from the run", async () => {
    using vm = aVm();
    const [events, outcomes] = [touches(ROWS), new OutcomeBatch(ROWS)];
    const run = vm.run(events, outcomes);
    for (const { buffer } of [events, outcomes]) {
      try {
        structuredClone(buffer, { transfer: [buffer] });
      } catch {
        // Versions of Node differ in whether they throw or copy.
      }
    }
    await run;
    expect([outcomes.count, outcomes.at(ROWS - 1).result]).toEqual([ROWS, "fixed"]);
  });

  test.each([-1, 1.5, 5, Number.NaN])("a count of %d rows of 4 is refused", (count) => {
    using vm = aVm();
    const events = new EventBatch(4);
    events.count = count;
    const error = thrownBy(() => vm.runSync(events, new OutcomeBatch(4)));
    expect(error).toMatchObject({ name: "RangeError", code: "ERR_CONFIG" });
    expect(error.message).toBe(`count must be an integer from 0 to 4, got ${count}`);
    expect(events.state).toBe("filling");
  });

  test.each([
    ["events", {}, new OutcomeBatch(1), "events must be an EventBatch, got {}"],
    ["outcomes", new EventBatch(1), {}, "outcomes must be an OutcomeBatch, got {}"],
    ["outcomes that are null", new EventBatch(1), null, "outcomes must be an OutcomeBatch, got null"],
  ])("%s that are no batch are refused", async (_, events, outcomes, sentence) => {
    using vm = aVm();
    for (const error of [
      thrownBy(() => vm.runSync(events as never, outcomes as never)),
      await rejectionOf(vm.run(events as never, outcomes as never)),
    ]) {
      expect([error.code, error.message]).toEqual(["ERR_CONFIG", sentence]);
    }
  });

  test("a vCPU that the VM does not have is named with the limit", () => {
    using vm = createVm({ vcpus: 2 });
    const events = new EventBatch(12);
    for (let row = 0; row < 12; row++) events.pushAccess(0, "read", row);
    const error = thrownBy(() => vm.runSync(events, new OutcomeBatch(12)));
    expect(error.message).toBe("event 2: expected a vCPU below 2, got vCPU 2");
    expect(error.stack).toMatch(/^MmuError: event 2: expected a vCPU below 2/);
    expect(error).toMatchObject({ code: "ERR_EVENT", values: { row: 2, value: 2, limit: 2 } });
  });

  test("a signal that fired before the run applies nothing", async () => {
    using vm = aVm();
    const events = touches(1);
    const error = await rejectionOf(vm.run(events, new OutcomeBatch(1), { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: "ERR_ABORTED", values: { applied: 0 } });
    expect(events.state).toBe("filling");
  });

  test("errors of a run carry the stack of the call", async () => {
    using vm = aVm();
    const events = touches(1);
    events.kind[0] = 99;
    const error = await rejectionOf(vm.run(events, new OutcomeBatch(1)));
    expect(error.stack).toMatch(/^MmuError: event 0/);
    expect(error.stack).toContain("vm.test.ts");
  });
});
