import { beforeAll, describe, expect, test } from "vitest";
import { reportOf } from "./run-fixture.js";

interface Blocks {
  codes: Record<string, string>;
  rejections: Record<string, string>;
  movedAway: string;
  kept: number;
  empty: number;
}

const EXPECTED = {
  eventsShort: "Error ERR_BATCH",
  outcomesShort: "Error ERR_BATCH",
  capacityAbove: "Error ERR_BATCH",
  countAbove: "Error ERR_BATCH",
  eventsDetached: "Error ERR_BATCH",
  outcomesDetached: "Error ERR_BATCH",
  sameBlock: "Error ERR_BATCH",
  shared: "TypeError ERR_CONFIG",
  resizable: "TypeError ERR_CONFIG",
  aView: "TypeError ERR_CONFIG",
  missing: "TypeError ERR_CONFIG",
  countNaN: "RangeError ERR_CONFIG",
  countNegative: "RangeError ERR_CONFIG",
  countFraction: "RangeError ERR_CONFIG",
  capacityHuge: "RangeError ERR_CONFIG",
  capacityText: "TypeError ERR_CONFIG",
};

describe("a batch whose blocks or counts are wrong", () => {
  let seen: Blocks;
  beforeAll(async () => {
    seen = await reportOf<Blocks>("blocks");
  });

  test.each(Object.entries(EXPECTED))("is refused: %s is a %s", (name, expected) => {
    expect(seen.codes[name]).toBe(expected);
    expect(seen.rejections[name]).toBe(expected.split(" ")[1]);
  });

  test("rejects with ERR_BATCH if its block is detached during the run", () => {
    expect(seen.movedAway).toBe("ERR_BATCH");
    expect(seen.kept).toBeGreaterThan(0);
  });

  test("may be empty", () => {
    expect(seen.empty).toBe(0);
  });
});

test("rows that JavaScript rewrites while they wait are applied as something, never as a crash", async () => {
  interface Rewritten {
    rows: number;
    ended: Record<string, { inTime: boolean; applied: number }>;
  }
  const { rows, ended } = await reportOf<Rewritten>("rewrite-during-run");
  const whole = { inTime: true, applied: rows };
  expect(ended).toEqual({ vcpu: whole, kind: whole, access: whole, gpa: whole, range: whole });
});
