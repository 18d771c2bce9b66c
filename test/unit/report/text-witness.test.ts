/** A witness as text: with colour and without, long ones cut in the middle, and every kind of event in words. */
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import {
  type CheckStep,
  checkWitness,
  EVENT_KINDS,
  renderWitness,
  witnessFiles,
  witnessTest,
} from "../../../lib/index.js";
import { stepSays } from "../../../lib/witness/says.js";
import { rejectionOf } from "../thrown.js";

const SHARED = 2 ** 47;
const access = (gpa: number): CheckStep => ({
  is: "event",
  kind: "access",
  gpa,
  bytes: 0,
  vcpu: 0,
  access: 1,
});
const SLOT: CheckStep = { is: "memslot", slot: 0, flags: 0, gpa: 0, bytes: 4096, hva: 2 ** 40, backing: 1 };

/** Stuck at the first access through the shared alias. */
const stuck = (steps: readonly CheckStep[], config = {}) =>
  checkWitness({
    ...{ rule: "alias-stuck", defect: "D1a", reason: "", gpa: "0x0", world: "none" },
    witness: {
      config: { alias: { strategy: "v5-as-posted", preset: "tdx47" }, ...config },
      setup: [SLOT],
      operations: [{ says: "", steps }],
    },
  });

describe("a witness in words", () => {
  const report = stuck([access(SHARED)]);

  test("has one line for its one step, and says that none can be left out", async () => {
    const text = await renderWitness(report);
    expect(text).toContain("in 1 step: none can be left out");
    expect(text).toMatch(/^ {2}1\. {2}vCPU 0 {2}read 0x0 alias 1 {2}stuck/m);
    expect(text).toContain("alias 1, 0x800000000000, direct root:");
  });

  test("is the same text with colour, but for the escape codes", async () => {
    const [plain, painted] = [await renderWitness(report), await renderWitness(report, { color: true })];
    expect(painted).not.toBe(plain);
    expect(stripVTControlCharacters(painted)).toBe(plain);
  });

  test("is cut in the middle if it is long, and says how much is not shown", async () => {
    const [step] = report.steps;
    const long = { ...report, steps: Array.from({ length: 1000 }, () => step as NonNullable<typeof step>) };
    const text = await renderWitness(long);
    expect(text).toContain("... 940 more ...");
    expect(text).toMatch(/^ +1000\. /m);
    expect(text.split("\n").length).toBeLessThan(200);
  });

  test("that may not be the shortest says why", async () => {
    const text = await renderWitness({ ...report, minimal: false, ended: "budget" });
    expect(text).toContain("in 1 step: there may be shorter ways, ended by its budget");
  });

  test("leaves out what a VM refuses", () => {
    expect(stuck([access(2 ** 50), access(SHARED)]).steps.length).toBe(1);
  });
});

describe("what cannot be a trace", () => {
  test("a changed memslot is refused, and a test can have it", async () => {
    const report = stuck([{ ...SLOT, bytes: 0 } as CheckStep, SLOT, access(SHARED)]);
    const error = await rejectionOf(witnessFiles(report, "x.bin"));
    expect(error).toMatchObject({ code: "ERR_TRACE", message: expect.stringContaining("memslot") });
    expect(witnessTest(report)).toContain("vm.memslots.set({ slot: 0, flags: 0, gpa: 0, bytes: 0, ");
  });

  test("a width that no option names is refused", async () => {
    const error = await rejectionOf(witnessFiles(stuck([access(SHARED)], { hostMaxphyaddr: 50 }), "x.bin"));
    expect(error).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringContaining("hostMaxphyaddr"),
    });
  });

  test("a name that a shell would take apart is quoted", async () => {
    const { command } = await witnessFiles(stuck([access(SHARED)]), "it's here.bin");
    expect(command).toContain(`gpalias replay 'it'\\''s here.bin' --memslots 'it'\\''s here.bin.json' `);
  });
});

test("every kind of event has words of its own", () => {
  const said = EVENT_KINDS.map((kind) =>
    stepSays(
      { is: "event", kind, gpa: 0x5000, bytes: 4096, vcpu: 0, access: 1 },
      { bytes: SHARED, count: 2 },
    ),
  );
  expect(new Set(said).size).toBe(EVENT_KINDS.length);
  expect(said.filter((text) => text.length > 40 || text === "")).toEqual([]);
});
