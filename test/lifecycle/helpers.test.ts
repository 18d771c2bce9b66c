import { expect, test } from "vitest";
import { reportOf, runFixture } from "./run-fixture.js";

const of = <T>(way: string) => reportOf<T>("helpers", { args: [way] });

test("helpers of a VM's runs end when it is closed, before close returns", async () => {
  expect(await of("closed")).toEqual({ applied: 4_000_000, during: 3, after: 0, hits: 4_000_000 });
});

test("helpers end with a VM that is closed at any moment of a run", async () => {
  const { ends, after } = await of<{ ends: (string | undefined)[]; after: number }>("closed-during-runs");
  expect(ends[0]).toBe("ERR_CLOSED");
  for (const code of ends) expect([undefined, "ERR_CLOSED"]).toContain(code);
  expect(after).toBe(0);
});

test("a run with helpers is aborted like any other, and the VM goes on", async () => {
  expect(await of("aborted")).toEqual({ code: "ERR_ABORTED", isAtAPart: true, again: 4_000_000 });
});

test("helpers end with a worker that is terminated during their runs", async () => {
  expect(await of("worker")).toEqual({ exits: 3, after: 0 });
});

test("process.exit with helpers at work ends at once and in silence", async () => {
  const { code, signal, stderr } = await runFixture("helpers", { args: ["exit"] });
  expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: "" });
});
