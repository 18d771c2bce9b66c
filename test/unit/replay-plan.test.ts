import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { applyPlan, createVm, openTrace, planReplay, replay } from "../../lib/index.js";
import { rejectionOf } from "./thrown.js";
import { aFolder, MARKER, recordBytes, someRecords } from "./trace/records.js";
import { hasAddon } from "./with-addon.js";

const MiB = 2 ** 20;
const ROUND = { flags: MARKER + 2 };

function ram(start: number, count: number) {
  return someRecords(count).map((record) => ({ ...record, gpa: start + (record.gpa ?? 0) }));
}

describe.skipIf(!hasAddon)("planReplay", () => {
  const file = aFolder();
  const slots = [
    { slot: 0, gpa: "0x0", size: "16M", flags: 0 },
    { slot: 1, gpa: "16M", size: "1M", flags: 2 },
  ];

  test("infers memslots, vCPUs and logging from the trace, and says so", async () => {
    const trace = await openTrace(file("guess.bin", recordBytes([...ram(MiB, 700), ROUND])));
    const plan = await planReplay(trace);
    expect(plan.memslots).toMatchObject([{ gpa: MiB, bytes: 3 * MiB, backing: "4K" }]);
    expect([plan.config, plan.dirtyLog]).toEqual([{ vcpus: 2 }, true]);
    expect(plan.guesses.map(({ what, value }) => [what, value])).toEqual([
      ["memslot 0", "[0x100000, 0x400000)"],
      ["vcpus", 2],
      ["dirtyLog", "on"],
    ]);
    using vm = createVm(plan.config);
    applyPlan(vm, plan);
    const { outcomes, config } = await replay(vm, trace, { guesses: plan.guesses });
    expect(outcomes).toEqual({ fixed: 700 });
    expect([config.dirtyLog, config.guesses]).toEqual(["on", plan.guesses]);
  });

  test("a capture's .json answers without a look at the trace", async () => {
    const capture = { memslots: slots, by_vcpu: { "0": 1, "1": 1 }, markers_by_kind: { "2": 4 } };
    file("cap.json", JSON.stringify(capture));
    const trace = await openTrace(file("cap.faults.bin", recordBytes(ram(0, 10))));
    const plan = await planReplay(trace, { backing: "2M" });
    expect(trace.totals.records).toBe(0);
    expect(plan).toMatchObject({ config: { vcpus: 2 }, dirtyLog: true });
    expect(plan.memslots).toMatchObject([
      { id: 0, bytes: 16 * MiB, backing: "2M" },
      { id: 1, readonly: true, backing: "2M" },
    ]);
    expect(plan.guesses[0]?.why).toContain("lies beside the trace");
  });

  test("fewer vCPUs than the trace is known to have are refused before it runs", async () => {
    const sentence = "vcpus must be at least 2, as the trace has events of vCPU 1, got 1";
    const config = { vcpus: 1 };
    file("few.json", JSON.stringify({ memslots: slots, by_vcpu: { "0": 1, "1": 1 } }));
    for (const name of ["few.faults.bin", "seen.bin"]) {
      const trace = await openTrace(file(name, recordBytes(ram(0, 10))));
      const error = await rejectionOf(planReplay(trace, { config }));
      expect([error.code, error.message]).toEqual(["ERR_CONFIG", sentence]);
      expect((await planReplay(trace, { config: { vcpus: 2 } })).config.vcpus).toBe(2);
    }
  });

  test("logging is for writable slots, and never switched off where a slot asks for it", async () => {
    const memslots = [
      { gpa: 0, bytes: MiB },
      { gpa: MiB, bytes: MiB, readonly: true },
      { gpa: 2 * MiB, bytes: MiB, readonly: true, dirtyLog: true },
    ];
    const trace = await openTrace(file("log.bin", recordBytes(ram(0, 3))));
    const logged: boolean[][] = [];
    for (const dirtyLog of ["on", "off"] as const) {
      using vm = createVm();
      applyPlan(vm, await planReplay(trace, { memslots, dirtyLog }));
      logged.push([...vm.memslots].map((slot) => slot.dirtyLogging));
    }
    expect(logged).toEqual([
      [true, false, true],
      [false, false, true],
    ]);
  });

  test("what the caller says is not guessed", async () => {
    const trace = await openTrace(file("said.bin", recordBytes(ram(0, 3))));
    const path = file("slots.json", JSON.stringify(slots));
    const plan = await planReplay(trace, {
      memslots: path,
      dirtyLog: "off",
      config: { vcpus: 7, addressBits: 40 },
    });
    expect(plan).toMatchObject({ config: { vcpus: 7, addressBits: 40 }, dirtyLog: false, guesses: [] });
    expect(trace.totals.records).toBe(0);
  });

  test("an address above 48 bits widens the VM", async () => {
    const trace = await openTrace(file("wide.bin", recordBytes([...ram(0, 3), { gpa: 2 ** 51, code: 2 }])));
    const plan = await planReplay(trace);
    expect(plan.config.addressBits).toBe(52);
    expect(plan.guesses.at(-2)).toMatchObject({ what: "addressBits", value: 52 });
  });

  test("memslots that are said leave the vCPUs to be counted", async () => {
    const trace = await openTrace(file("count.bin", recordBytes(ram(0, 3))));
    const plan = await planReplay(trace, { memslots: [{ gpa: 0, bytes: MiB }], dirtyLog: "off" });
    expect([plan.config.vcpus, plan.memslots.length]).toEqual([2, 1]);
  });

  test("a preset fixes the width, and under a private one accesses go home", async () => {
    const trace = await openTrace(file("preset.bin", recordBytes([...ram(0, 3), { gpa: 2 ** 46, code: 2 }])));
    const planned = (strategy: string) =>
      planReplay(trace, { config: { alias: { strategy, preset: "tdx47" } } });
    expect((await planned("none")).project).toBe("as-recorded");
    const plan = await planned("precise");
    expect(plan.project).toBe("home");
    expect(plan.config).toEqual({ vcpus: 2, alias: { strategy: "precise", preset: "tdx47" } });
  });

  test("a stream needs to be told what would have to be looked up", async () => {
    const stream = () => openTrace(Readable.from([recordBytes(ram(0, 3))]));
    expect((await rejectionOf(planReplay(await stream()))).message).toContain(
      "so memslots cannot be found out",
    );
    const memslots = [{ gpa: 0, bytes: MiB }];
    expect((await rejectionOf(planReplay(await stream(), { memslots }))).message).toContain(
      "so dirtyLog cannot",
    );
    const config = { tlb: true };
    const blind = planReplay(await stream(), { memslots, dirtyLog: "off", config });
    expect((await rejectionOf(blind)).message).toContain("so vcpus cannot be found out");
    const trace = await stream();
    const plan = await planReplay(trace, { memslots, dirtyLog: "off" });
    expect([plan.config.vcpus, plan.guesses[0]?.what]).toEqual([65_536, "vcpus"]);
    using vm = createVm(plan.config);
    applyPlan(vm, plan);
    expect((await replay(vm, trace)).outcomes).toEqual({ fixed: 3 });
  });

  test.each([
    [{ dirtyLog: "yes" }, 'dirtyLog must be one of "auto", "on", "off", got "yes"'],
    [{ memslot: [] }, 'planReplay has no key "memslot"; did you mean memslots?'],
  ])("%o is refused", async (options, sentence) => {
    const trace = await openTrace(file("bad.bin", recordBytes(ram(0, 3))));
    expect((await rejectionOf(planReplay(trace, options as object))).message).toBe(sentence);
  });
});
