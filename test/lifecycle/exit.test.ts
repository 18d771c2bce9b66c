import { expect, test } from "vitest";
import { runFixture } from "./run-fixture.js";

// Each fixture starts runs of many seconds; a process that waited for them
// would take this long several times over.
const PROMPT_SECONDS = 8;

test("process.exit with runs in flight and queued ends at once, with its own code and in silence", async () => {
  const { code, signal, stderr, seconds } = await runFixture("exit-during-run", { args: ["exit"] });
  expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: "" });
  expect(seconds).toBeLessThan(PROMPT_SECONDS);
});

test("listeners of 'exit' find a VM that is stopped but not closed", async () => {
  const { stdout } = await runFixture("exit-during-run", { args: ["exit"] });
  expect(stdout).toBe("closed: false");
});

test("an uncaught exception with runs in flight ends at once and shows itself alone", async () => {
  const { code, signal, stderr, seconds } = await runFixture("exit-during-run", { args: ["throw"] });
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  expect(stderr).toContain("Error: thrown on purpose");
  expect(stderr.trim().split("\n").at(-1)).toMatch(/^Node\.js v/);
  expect(seconds).toBeLessThan(PROMPT_SECONDS);
});

test("a process whose main program is over waits for a run in flight", async () => {
  const { code, stdout, stderr } = await runFixture("exit-during-run", { args: ["end"] });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "1000", stderr: "" });
});
