// The comparison's own work, on an addon that models nothing: who gets which
// rows, that runs overlap, and that nothing is left behind when one fails.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type EventBatch, KIND } from "../../lib/columns/event-batch.js";
import { type Comparison, compare, createVm, type Replay, replay } from "../../lib/index.js";
import { control, resetFake } from "../support/fake-addon.js";
import { traceOf } from "../support/fake-trace.js";
import { rejectionOf } from "./thrown.js";

vi.mock("../../lib/native/addon.js", async () => {
  const { fakeAddon } = await import("../support/fake-addon.js");
  return { loadAddon: () => fakeAddon };
});
vi.mock("../../lib/projections/index.js", async () => import("../support/shift-projection.js"));

const MiB = 2 ** 20;
const SHARED = 2 ** 47;
const ROWS = 1000;
const options = { memslots: [{ gpa: 0, bytes: 16 * MiB }], dirtyLog: "off", batchSize: 64 } as const;
const tdx47 = { ...options, config: { alias: { preset: "tdx47" }, vcpus: 1 } };

const push = (batch: EventBatch, row: number): void => batch.pushAccess((row % 600) * 4096, "write");
const trace = (endsWith?: Error) => traceOf(ROWS, push, endsWith === undefined ? {} : { endsWith });

const namesOf = ({ runs }: Comparison) => runs.map(({ run }) => run);
const replaysOf = ({ runs }: Comparison) => runs.filter((run): run is Replay => "input" in run);

beforeEach(resetFake);
afterEach(() => {
  expect(control.inFlight).toBe(0);
  expect(control.vms.filter(({ closed }) => !closed)).toEqual([]);
});

describe("the runs", () => {
  test("are every pair, the baseline first, and say why one is not applicable", async () => {
    const compared = await compare(trace(), {
      ...options,
      config: { alias: { preset: "bits:47" }, vcpus: 1 },
    });
    expect(namesOf(compared)).toEqual([
      "none/tdp",
      "none/rmap",
      "mirror/tdp",
      "precise/tdp",
      "precise/rmap",
      "v5-as-posted/tdp",
      "v5-as-posted/rmap",
    ]);
    expect(compared.runs[2]).toEqual({
      run: "mirror/tdp",
      notApplicable: "mirror is not for this kind of preset",
    });
  });

  test("are those that were asked for, once each and in that order", async () => {
    const asked = { ...tdx47, strategies: ["precise", "none", "precise"] };
    expect(namesOf(await compare(trace(), asked))).toEqual([
      "precise/tdp",
      "precise/rmap",
      "none/tdp",
      "none/rmap",
    ]);
    const config = { ...tdx47.config, mmu: "rmap" as const };
    expect(namesOf(await compare(trace(), { ...asked, config }))).toEqual(["precise/rmap", "none/rmap"]);
  });

  test("have each the result of a replay, under the same trace and settings", async () => {
    for (const { input, config, outcomes, timing } of replaysOf(await compare(trace(), tdx47))) {
      expect(input).toMatchObject({ events: ROWS, accesses: ROWS });
      expect(outcomes).toEqual({ fixed: 600, hit: 400 });
      expect(config.alias).toMatchObject({ preset: "tdx47", bits: [47] });
      expect(timing.batch).toBe(64);
    }
  });
});

describe("the rows", () => {
  test("of a projection go to every strategy but the baseline, which has the trace as it was", async () => {
    await compare(trace(), { ...tdx47, project: "shift" });
    for (const { config, rows } of control.vms) {
      const gpas = rows.filter(([kind]) => kind === KIND.access).map(([, gpa]) => gpa);
      const offset = config.strategy === "none" ? 0 : SHARED;
      expect(gpas).toEqual(Array.from({ length: ROWS }, (_, row) => offset + (row % 600) * 4096));
    }
  });

  test("that it inserts are conversions and no events, and the result says so", async () => {
    const compared = await compare(trace(), { ...tdx47, project: "shift" });
    expect(compared.input).toMatchObject({ events: ROWS, conversions: ROWS, byKind: { access: ROWS } });
    for (const { config, input, operations, flushScopes } of replaysOf(compared)) {
      const isBaseline = config.alias.strategy === "none";
      expect(input).toMatchObject({ events: ROWS, conversions: isBaseline ? 0 : ROWS });
      expect(operations).toEqual({});
      expect(config.project).toBe(isBaseline ? "as-recorded" : "shift");
      expect(flushScopes).toEqual(isBaseline ? {} : { attributes: { none: 0, range: 0, full: ROWS } });
    }
  });

  test("are the same at every batch size", async () => {
    const whole = await compare(trace(), { ...tdx47, project: "shift" });
    for (const batchSize of [1, 7, 999, 1000, 4096]) {
      const cut = await compare(trace(), { ...tdx47, project: "shift", batchSize });
      const timeless = (found: Comparison) => replaysOf(found).map(({ timing: _, ...rest }) => rest);
      expect(timeless(cut)).toEqual(timeless(whole));
    }
  });
});

describe("running", () => {
  test.each([2, 3, 7, 256])(
    "overlaps: with %i threads one more VM than that has a batch at once",
    async (threads) => {
      await compare(trace(), { ...tdx47, threads });
      expect(control.vms.length).toBe(7);
      expect(control.mostInFlight).toBe(Math.min(threads + 1, control.vms.length));
    },
  );

  test("asks for no helpers: each VM has a thread", async () => {
    await compare(trace(), { ...tdx47, threads: 8 });
    expect(control.vms.flatMap(({ helpers }) => helpers).every((helpers) => helpers === 0)).toBe(true);
  });

  // A run of this addon takes a millisecond, and a batch a few microseconds.
  test("a replay asks for them once it has had to wait for a run", async () => {
    using vm = createVm({ vcpus: 1 });
    vm.memslots.add({ gpa: 0, bytes: 16 * MiB });
    const result = await replay(vm, trace(), { threads: 4, batchSize: 64 });
    expect(result.timing.threads).toBe(4);
    const [first, ...others] = control.vms[0]?.helpers ?? [];
    expect(first).toBe(0);
    expect(others).toContain(3);
  });

  test("with one thread never leaves it", async () => {
    const { runs } = await compare(trace(), { ...tdx47, threads: 1 });
    expect(control.mostInFlight).toBe(0);
    expect(runs.map((run) => "timing" in run && run.timing.threads)).toEqual(runs.map(() => 1));
  });

  test.each([0, 257, 1.5, "2", Number.NaN])("refuses %p threads", async (threads) => {
    const error = await rejectionOf(compare(trace(), { ...tdx47, threads: threads as number }));
    expect(error).toMatchObject({ code: "ERR_CONFIG" });
    expect(error.message).toMatch(/^threads must be an integer/);
  });

  test("tells progress in events of the trace, up to the last", async () => {
    for (const project of ["as-recorded", "shift"]) {
      const told: number[] = [];
      await compare(trace(), { ...tdx47, project, onProgress: (events) => told.push(events) });
      expect(told).toEqual([...told].sort((a, b) => a - b));
      expect(told.at(-1)).toBe(ROWS);
    }
  });

  test("more than ten VMs on one signal warn of no leak", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const strategies = ["none", "precise", "v5-as-posted", "mirror"];
    await compare(trace(), { ...tdx47, strategies, signal: new AbortController().signal });
    await new Promise(setImmediate);
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});

describe("a comparison fails, and leaves nothing running and no VM open,", () => {
  test("when one run does: its name, and the event's number in the trace", async () => {
    control.refuses = { strategy: "v5-as-posted", gpa: 500 * 4096 };
    const error = await rejectionOf(compare(trace(), tdx47));
    expect(error).toMatchObject({ code: "ERR_EVENT", values: { row: 500, applied: 500 } });
    expect(error.message).toBe("v5-as-posted/tdp: event 500: expected another address");
  });

  test("also when conversions were inserted, which have no number", async () => {
    control.refuses = { strategy: "precise", gpa: SHARED + 500 * 4096 };
    const error = await rejectionOf(compare(trace(), { ...tdx47, project: "shift" }));
    expect(error).toMatchObject({ code: "ERR_EVENT", values: { row: 500, applied: 500 } });
    expect(error.message).toMatch(/^precise\/tdp: event 500: /);
  });

  test("when the baseline does", async () => {
    control.refuses = { strategy: "none", gpa: 500 * 4096 };
    const error = await rejectionOf(compare(trace(), { ...tdx47, project: "shift" }));
    expect(error.message).toMatch(/^none\/tdp: event 500: /);
  });

  test("when the trace ends badly", async () => {
    const error = await rejectionOf(compare(trace(new RangeError("cut")), tdx47));
    expect(error.message).toBe("cut");
  });

  test("when it is aborted, and says how far it came", async () => {
    const controller = new AbortController();
    const onProgress = (events: number) => events >= 256 && controller.abort();
    const running = compare(trace(), { ...tdx47, signal: controller.signal, onProgress });
    const error = await rejectionOf(running);
    expect(error.code === "ERR_ABORTED" || error.name === "AbortError").toBe(true);
  });

  test("when progress throws", async () => {
    const onProgress = () => {
      throw new RangeError("mine");
    };
    expect((await rejectionOf(compare(trace(), { ...tdx47, onProgress }))).message).toBe("mine");
  });
});

describe("what is refused", () => {
  test.each([
    [{ strategies: [] }, "strategies must be a list of at least one strategy, got []"],
    [
      { strategies: ["mirorr"] },
      'strategies must be one of "mirror", "none", "precise", "v5-as-posted" (did',
    ],
    [{ strategys: ["none"] }, 'compare has no key "strategys"; did you mean strategies?'],
    [
      { config: { alias: { strategy: "mirror" } } },
      'config.alias.strategy must be left out: see strategies, got "mirror"',
    ],
    [{ batchSize: 0 }, "batchSize must be an integer from 1 to 16777216, got 0"],
  ])("%o", async (mistake, sentence) => {
    const error = await rejectionOf(compare(trace(), { ...options, ...mistake } as never));
    expect([error.code, error.message.startsWith(sentence), error.message]).toEqual([
      "ERR_CONFIG",
      true,
      error.message,
    ]);
  });

  test.each([
    [["mirror"], { alias: { preset: "bits:47" } }, "mirror/tdp", "not for this kind of preset"],
    [["none", "mirror"], { alias: { preset: "tdx47" }, mmu: "rmap" }, "mirror/rmap", "no flavour rmap"],
  ] as const)("%j by name where it cannot be made", async (strategies, config, run, reason) => {
    const error = await rejectionOf(compare(trace(), { ...options, strategies, config }));
    expect(error.code).toBe("ERR_UNSUPPORTED");
    expect(error.message).toContain(run);
    expect(error.message).toContain(reason);
  });
});
