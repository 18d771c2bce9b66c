import { beforeAll, describe, expect, test } from "vitest";
import { reportOf } from "./run-fixture.js";

const node = ["--expose-gc"];

describe("a VM that nobody refers to", () => {
  interface Collected {
    droppedMiB: number;
    leftMiB: number;
    applied: number[];
    pages: number;
    aliveWhileRunning: boolean;
  }
  let collected: Collected;
  beforeAll(async () => {
    collected = await reportOf<Collected>("collect", { node });
  });

  test("gives its tables back when it is collected", () => {
    expect(collected.droppedMiB).toBeGreaterThan(30);
    expect(collected.leftMiB).toBeLessThan(collected.droppedMiB / 2);
  });

  test("finishes the run that it is in", () => {
    expect(collected.applied).toEqual(new Array(8).fill(collected.pages));
  });

  test("stays alive and open for as long as it runs, even if its promise is dropped", () => {
    expect(collected.aliveWhileRunning).toBe(true);
  });
});

test("neither two hundred VMs nor forty thousand runs leave memory behind", async () => {
  const grown = await reportOf<{ byVms: number; byRuns: number }>("leak", { node });
  // One VM commits 2 MiB, so a leak of each would be 400 MiB.
  expect(grown.byVms).toBeLessThan(60);
  // Half a kilobyte a run would be 20 MiB.
  expect(grown.byRuns).toBeLessThan(16);
});
