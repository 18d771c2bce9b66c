// Two views of each page in turn, under dirty logging and with a TLB that can
// go stale: whom the rules find, and whom they leave alone.
import { describe, expect, test } from "vitest";
import type { Comparison, Replay } from "../../lib/index.js";
import { gpaliasJson, STORM_HEAD } from "./run-cli.js";

const MINUTES = 60_000;
const STALE = ["dirty-lost", "stale-translation"];
const BOTH = ["tdp", "rmap"] as const;

const churned = async (...args: readonly string[]): Promise<ReadonlyMap<string, Replay>> => {
  const churn = [STORM_HEAD, "--project", "churn:3,1", "--tlb"];
  const { runs }: Comparison = await gpaliasJson(["compare", ...churn, ...args]);
  return new Map(runs.flatMap((run) => ("violations" in run ? [[run.run, run] as const] : [])));
};

const rulesOf = (runs: ReadonlyMap<string, Replay>, run: string) =>
  runs.get(run)?.violations.map(({ rule }) => rule);

const staleOf = (runs: ReadonlyMap<string, Replay>, run: string) =>
  runs.get(run)?.violations.filter(({ rule }) => STALE.includes(rule));

const inBoth = (...strategies: readonly string[]) =>
  strategies.flatMap((strategy) => BOTH.map((mmu) => `${strategy}/${mmu}`));

describe("bits:47, two views of the same memory", () => {
  const bits = ["--alias", "bits:47"];

  test(
    "with Hyper-V's ranges v5-as-posted in rmap loses writes to a stale TLB, and it alone",
    async () => {
      const runs = await churned(...bits, "--flush-provider", "hyperv");
      expect(runs.size).toBe(12);
      expect(rulesOf(runs, "v5-as-posted/rmap")).toEqual(["alias-shared-leaf", ...STALE]);
      for (const { defect, count } of staleOf(runs, "v5-as-posted/rmap") ?? []) {
        expect(defect).toBe("D2");
        expect(count).toBeGreaterThan(1000);
      }
      for (const run of runs.keys()) if (run !== "v5-as-posted/rmap") expect(staleOf(runs, run)).toEqual([]);
      for (const run of inBoth("none", "duplicate-slots", "stolen-bits", "precise")) {
        expect(rulesOf(runs, run)).toEqual([]);
      }
    },
    MINUTES,
  );

  test(
    "without a provider every flush is full, and nobody's TLB is stale",
    async () => {
      const runs = await churned(...bits);
      for (const run of runs.keys()) expect(staleOf(runs, run)).toEqual([]);
      expect(rulesOf(runs, "v5-as-posted/rmap")).toEqual(["alias-shared-leaf"]);
    },
    MINUTES,
  );

  // Two calls a flush: an even period always strikes the second one, whose
  // answer stolen-bits ignores; after an odd one struck the first, the second
  // is not made, so it always strikes the first.
  test.each([
    [2, true],
    [3, false],
    [4, true],
  ])(
    "every %i-th call fails: stolen-bits has a stale TLB: %s",
    async (k, isStale) => {
      const strategies = ["none", "duplicate-slots", "stolen-bits", "precise"];
      const provider = ["--flush-provider", `fail:${k}`, "--strategy", strategies.join()];
      const runs = await churned(...bits, ...provider);
      for (const run of inBoth("stolen-bits")) {
        expect(rulesOf(runs, run)).toEqual(isStale ? STALE : []);
        expect(new Set(runs.get(run)?.violations.map(({ defect }) => defect))).toEqual(
          new Set(isStale ? ["B14"] : []),
        );
      }
      for (const run of inBoth("none", "duplicate-slots", "precise")) {
        expect(rulesOf(runs, run)).toEqual([]);
      }
    },
    MINUTES,
  );
});

describe("bits:46,47, four views", () => {
  test(
    "v5 and stolen-bits never call the provider: every flush of theirs is full",
    async () => {
      const runs = await churned("--alias", "bits:46,47", "--flush-provider", "hyperv");
      for (const run of inBoth("v5-as-posted", "v5-as-reviewed", "stolen-bits")) {
        expect(runs.get(run)?.flush).toMatchObject({ range: 0, pages: 0 });
        expect(runs.get(run)?.flush.full).toBeGreaterThan(1000);
        expect(staleOf(runs, run)).toEqual([]);
      }
      for (const run of inBoth("none", "duplicate-slots", "precise", "stolen-bits")) {
        expect(rulesOf(runs, run)).toEqual([]);
      }
    },
    MINUTES,
  );
});

describe.each(["tdx47", "tdx51"])("%s, private and shared memory", (preset) => {
  test(
    "role-private, mirror and precise break no rule while pages are converted back and forth",
    async () => {
      const runs = await churned("--alias", preset);
      for (const run of ["role-private/tdp", "mirror/tdp", ...inBoth("precise")]) {
        expect(rulesOf(runs, run)).toEqual([]);
        expect(runs.get(run)?.input.conversions).toBeGreaterThan(10_000);
      }
      expect(rulesOf(runs, "v5-as-posted/rmap")).toContain("permission-leak");
    },
    MINUTES,
  );
});
