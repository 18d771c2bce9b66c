import { beforeAll, describe, expect, test } from "vitest";
import { type Refusal, reportOf } from "./run-fixture.js";

interface OutOfMemory {
  error: Refusal;
  mapped: number;
  again: number;
  hit: number;
  afterZap: number;
  sync: Refusal;
  asynchronous: Refusal;
}

describe("an arena that is full", () => {
  let seen: OutOfMemory;
  beforeAll(async () => {
    seen = await reportOf<OutOfMemory>("out-of-memory");
  });

  test("refuses the access that needs a table with ERR_OUT_OF_MEMORY and says how full it is", () => {
    expect(seen.error).toMatchObject({ code: "ERR_OUT_OF_MEMORY", errno: "ENOMEM" });
    expect(seen.error.values).toEqual({ bytes: expect.any(Number), limit: 2 ** 21 });
    expect(seen.error.values["bytes"]).toBeLessThanOrEqual(2 ** 21);
    expect(seen.mapped).toBeGreaterThan(100);
  });

  test("ends runSync and run after the last row that fitted", () => {
    for (const error of [seen.sync, seen.asynchronous]) {
      expect(error).toMatchObject({ code: "ERR_OUT_OF_MEMORY", values: { applied: seen.mapped } });
    }
  });

  test("leaves the VM usable: old pages hit, and a zap makes room", () => {
    expect(seen.again).toBe(seen.hit);
    expect(seen.afterZap).not.toBe(seen.hit);
  });
});
