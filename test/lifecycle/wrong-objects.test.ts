import { expect, test } from "vitest";
import { reportOf } from "./run-fixture.js";

interface WrongObjects {
  types: Record<string, string>;
  heir: number;
  still: number;
}

test("a receiver or an argument of another class is a TypeError, never a crash", async () => {
  const { types, still } = await reportOf<WrongObjects>("wrong-objects");
  expect(Object.keys(types)).toHaveLength(10);
  expect(new Set(Object.values(types))).toEqual(new Set(["TypeError"]));
  expect(still).toBeGreaterThan(0);
});

test("a class that extends Vm is a Vm", async () => {
  expect((await reportOf<WrongObjects>("wrong-objects")).heir).toBe(0);
});
