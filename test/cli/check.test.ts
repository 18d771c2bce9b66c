/** `gpalias check`: which defects it finds unaided, by the strategies' own list of what is known of them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type CheckResult, createVm, type StrategyInfo, type VmConfig } from "../../lib/index.js";
import { liveStep } from "../../lib/witness/live-story.js";
import { gpalias, gpaliasJson } from "./run-cli.js";

const LONG = { timeout: 10 * 60_000 };

/** The document of a check, whatever it found. */
async function checked(args: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await gpalias(["check", ...args, "--json"]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}
const MOST_OPERATIONS_OF_A_WITNESS = 8;

let strategies: readonly StrategyInfo[];
beforeAll(async () => {
  strategies = (await gpaliasJson(["strategies"])).strategies;
});

describe("check", () => {
  test("finds, for every strategy and flavour, the known defects and no others", LONG, async () => {
    const { checks } = (await checked([])) as { checks: CheckResult[] };
    const known = strategies.flatMap(({ name, flavours, defects }) =>
      flavours.map((mmu) => ({
        run: `${name}/${mmu}`,
        defects: defects
          .filter((defect) => defect.flavours.includes(mmu))
          .map(({ id }) => id)
          .sort(),
      })),
    );
    const found = checks.map(({ run, violations }) => ({
      run,
      defects: [...new Set(violations.map(({ defect }) => defect ?? "unknown"))].sort(),
    }));
    expect(found).toEqual(known);
    expect(checks.every(({ complete }) => complete)).toBe(true);
    expect(Math.max(...checks.map(({ timing }) => timing.wallNs))).toBeLessThan(60e9);
  });

  test("names a flush wider than what is live as a matter of cost, not a violation", LONG, async () => {
    const { advisories, violations } = (await checked(["duplicate-slots/tdp", "--ops", "3"])) as CheckResult;
    expect(violations).toEqual([]);
    expect(advisories.map(({ rule, defect }) => [rule, defect])).toEqual([["flush-wider-than-live", "D8"]]);
  });

  // The bound that is worth naming; one more in the long run.
  const MOST = process.env["GPALIAS_LONG"] ? 6 : 5;
  test(`finds nothing in ${MOST} operations where no defect is known`, LONG, async () => {
    const clean = strategies.filter(({ defects }) => defects.length === 0).map(({ name }) => name);
    const { checks } = (await checked([...clean, "--ops", String(MOST)])) as { checks: CheckResult[] };
    expect(checks.map(({ run }) => run)).toContain("precise/rmap");
    const { vcpus, pages } = (checks[0] as CheckResult).bound;
    expect([vcpus, pages]).toEqual([2, 2]);
    expect(checks.filter(({ complete }) => !complete)).toEqual([]);
    expect(checks.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test("looks at worlds with every page size, provider and option that matters", LONG, async () => {
    const { worlds } = (await checked(["precise/rmap", "--ops", "1"])) as CheckResult;
    const names = worlds.map(({ name }) => name);
    for (const preset of ["bits:47", "xo:47", "tdx47"])
      for (const rest of ["4K", "2M", "2M, hyperv", "4K, fail:2", "2M, memory types", "4K, internal slots"])
        expect(names).toContain(`${preset}, ${rest}`);
    expect(names.some((name) => name.includes("no A/D bits"))).toBe(true);
    expect(names.some((name) => name.includes("PML"))).toBe(true);
  });

  test("gives each violation a witness that a VM lives to the same end", LONG, async () => {
    const { violations } = (await checked(["v5-as-posted/rmap", "--ops", "3"])) as CheckResult;
    expect(violations.length).toBeGreaterThan(3);
    for (const { rule, witness } of violations) {
      expect(witness.operations.length).toBeLessThanOrEqual(MOST_OPERATIONS_OF_A_WITNESS);
      expect(violationsOf(witness)).toContain(rule);
    }
  });

  test("says how far it looked, and what it found in words", LONG, async () => {
    const { status, stdout } = await gpalias(["check", "stolen-bits/tdp", "--ops", "3"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/stolen-bits\/tdp: unsafe under .*stale-translation/);
    expect(stdout).toMatch(/every sequence of up to 3 operations by 2 vCPUs on 2 pages, in \d+ worlds/);
    expect(stdout).toMatch(/in world .*fail:2.*:\n {2}1\. /);
  });

  test("says where it ended early", async () => {
    const result = (await checked(["none/tdp", "--states", "10"])) as CheckResult;
    expect(result.complete).toBe(false);
    expect(Math.min(...result.worlds.map(({ covered }) => covered))).toBeLessThan(4);
  });

  test("finds the same on one thread as on two", LONG, async () => {
    const [one, two] = await Promise.all(
      ["1", "2"].map((threads) => checked(["stolen-bits/rmap", "--ops", "2", "--threads", threads])),
    );
    expect({ ...(two as CheckResult), timing: undefined }).toEqual({
      ...(one as CheckResult),
      timing: undefined,
    });
  });

  test("goes on from what was put aside, and refuses what is damaged", LONG, async () => {
    const folder = mkdtempSync(join(tmpdir(), "gpalias-check-"));
    try {
      const args = ["stolen-bits/rmap", "--ops", "3", "--resume", folder];
      const first = (await checked(args)) as CheckResult;
      const files = readdirSync(folder);
      expect(files.length).toBe(first.worlds.length);
      const second = (await checked(args)) as CheckResult;
      expect({ ...second, timing: undefined }).toEqual({ ...first, timing: undefined });
      expect(second.timing.wallNs).toBeLessThan(first.timing.wallNs);

      const damaged = join(folder, files[0] as string);
      writeFileSync(damaged, readFileSync(damaged).subarray(0, -8));
      const { status, stdout, stderr } = await gpalias(["check", ...args]);
      expect([status, stdout]).toEqual([3, ""]);
      expect(stderr).toContain(`${damaged}: it is damaged or cut short`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a folder that cannot be made is an error with its path", async () => {
    const { status, stderr } = await gpalias(["check", "mirror", "--ops", "1", "--resume", "/dev/null/x"]);
    expect(status).toBe(3);
    expect(stderr).toContain("/dev/null/x");
  });

  test.each([
    [["check", "stolen"], 'no run is called "stolen"; there are duplicate-slots/tdp'],
    [["check", "none", "--ops", "0"], "operations"],
    [["check", "none", "--ops", "x"], "operations"],
  ])("%j is refused as usage", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  });
});

type Witness = CheckResult["violations"][number]["witness"];

/** Rules that fire when the witness is lived through the library. */
function violationsOf({ config, setup, operations }: Witness): string[] {
  using vm = createVm(config as VmConfig);
  for (const step of [...setup, ...operations.flatMap(({ steps }) => steps)]) {
    try {
      liveStep(vm, step);
    } catch {
      // A refusal changes nothing.
    }
  }
  return [...vm.violations(), ...vm.audit().findings].map(({ rule }) => rule);
}
