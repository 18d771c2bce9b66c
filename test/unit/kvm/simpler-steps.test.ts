// What is simpler than a script of a guest's tables.
import { describe, expect, test } from "vitest";
import type { AskedStep } from "../../../lib/kvm/translate/ask.js";
import { simplerSteps } from "../../../lib/kvm/translate/simpler.js";

const slot = (flags: number) => [0, "0x0", "0x1000", flags, "0x0"] as const;
const FIRST: AskedStep = {
  ring: "0x2000",
  slots: [slot(3)],
  mem: [["0x0", "0x5"]],
  rflags: "0x2",
  gvas: ["0x1"],
};
const SECOND: AskedStep = { mem: [["0x8", "0x1"]], rflags: "0x40002", gvas: ["0x3000"] };
const all = [...simplerSteps([FIRST, SECOND])];

describe("a script of two steps becomes simpler", () => {
  test("without either of them, the ring staying with the first", () => {
    expect(all).toContainEqual([FIRST]);
    expect(all).toContainEqual([{ ring: "0x2000", ...SECOND }]);
  });

  test("as one step that stores what both stored and asks what the last asked", () => {
    expect(all).toContainEqual([
      {
        ...FIRST,
        ...SECOND,
        mem: [
          ["0x0", "0x5"],
          ["0x8", "0x1"],
        ],
      },
    ]);
  });

  test("with a part, a row or an address less, or a bit of a number", () => {
    const { rflags: _flags, ...flagless } = SECOND;
    expect(all).toContainEqual([FIRST, flagless]);
    expect(all).toContainEqual([{ ...FIRST, slots: [slot(2)] }, SECOND]);
    expect(all).toContainEqual([{ ...FIRST, mem: [["0x0", "0x1"]] }, SECOND]);
    expect(all).toContainEqual([FIRST, { ...SECOND, gvas: ["0x1000"] }]);
    expect(all).toContainEqual([FIRST, { ...SECOND, gvas: [] }]);
  });

  test("and never without a step", () => {
    for (const steps of [...all, ...simplerSteps([SECOND])]) expect(steps.length).toBeGreaterThan(0);
  });
});
