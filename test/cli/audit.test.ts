// --audit, as a user runs it: what it finds is a violation like any other.
import { expect, test } from "vitest";
import type { Comparison, Replay } from "../../lib/index.js";
import { BOOT, gpalias, gpaliasJson, STORM_HEAD } from "./run-cli.js";

const MINUTES = 60_000;
const RULE = "accounting-mismatch";
const STALE = ["--alias", "bits:47", "--project", "churn:3,1", "--tlb", "--flush-provider", "hyperv"];

test("compare --audit finds what one strategy leaves in its TLBs, and nothing wrong with the others", {
  timeout: 5 * MINUTES,
}, async () => {
  const { runs }: Comparison = await gpaliasJson(["compare", STORM_HEAD, ...STALE, "--audit", "20000"]);
  const replays = runs.filter((run): run is Replay => "violations" in run);
  expect(replays).toHaveLength(12);
  for (const { run, violations } of replays) {
    const audited = violations.filter(({ rule }) => rule === RULE);
    if (run !== "v5-as-posted/rmap") expect(audited).toEqual([]);
    else expect(audited).toMatchObject([{ defect: "D2", firstEvent: expect.any(Number) }]);
  }
  const every = replays.flatMap(({ violations }) => violations.map(({ rule }) => rule));
  expect(every).not.toContain("rmap-mismatch");
  expect(every).not.toContain("table-reachable-after-free");
});

test("replay --audit 0 looks at the end alone, and --fail-on takes its rules", {
  timeout: MINUTES,
}, async () => {
  const strategy = ["--strategy", "v5-as-posted", "--mmu", "rmap", "--audit", "0", "--fail-on", RULE];
  const { status, stdout, stderr } = await gpalias(["replay", STORM_HEAD, ...STALE, ...strategy, "--json"]);
  expect(status).toBe(1);
  const { violations, input }: Replay = JSON.parse(stdout);
  const last = input.events - 1;
  expect(violations.find(({ rule }) => rule === RULE)).toMatchObject({ firstEvent: last, defect: "D2" });
  expect(stderr).toContain(`v5-as-posted/rmap is unsafe under ${RULE}, first at event ${last}`);
});

test.each(["-1", "some", "1.5"])("--audit %s is refused with what was expected", async (period) => {
  const { status, stderr } = await gpalias(["replay", BOOT, "--audit", period]);
  expect(status).toBe(2);
  expect(stderr).toContain("expected an integer from 0 to");
});
