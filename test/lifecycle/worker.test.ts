import { describe, expect, test } from "vitest";
import { reportOf } from "./run-fixture.js";

interface WorkerEnd {
  exitCode: number;
  errors: string[];
  seconds: number;
}

// Its runs would take many times as long.
const PROMPT_SECONDS = 4;

describe("a worker with runs in flight, queued and closed", () => {
  test.each([
    ["terminate", 1, []],
    ["exit", 7, []],
    ["throw", 1, ["thrown on purpose"]],
  ] as const)("ends promptly and alone by %s", async (way, exitCode, errors) => {
    const end = await reportOf<WorkerEnd>("worker-during-run", { args: [way] });
    expect(end).toMatchObject({ exitCode, errors });
    expect(end.seconds).toBeLessThan(PROMPT_SECONDS);
  });

  test("ends promptly by terminate when the pool has one thread", async () => {
    const env = { UV_THREADPOOL_SIZE: "1" };
    const end = await reportOf<WorkerEnd>("worker-during-run", { args: ["terminate"], env });
    expect(end.exitCode).toBe(1);
    expect(end.seconds).toBeLessThan(PROMPT_SECONDS);
  });
});

test("fifty workers that end at arbitrary moments leave the main thread's VMs usable", async () => {
  expect(await reportOf("quick-workers")).toEqual({ workers: 50, applied: 1000 });
});
