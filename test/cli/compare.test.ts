// The comparison as a user runs it, on the captures that the repository carries.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Comparison, Replay } from "../../lib/index.js";
import { root } from "../support/source-graph.js";
import { BOOT, gpalias, gpaliasJson } from "./run-cli.js";

const FS = join(root, "examples/fs-bounce-pc-2c-4g.faults.bin.br");
const BOUNCE = [FS, "--alias", "tdx47", "--project", "bounce"];
const CHURN = [BOOT, "--alias", "bits:47", "--project", "churn:3,1", "--tlb"];

const byRun = ({ runs }: Comparison) => new Map(runs.map((run) => [run.run, run as Replay]));

describe("a TDX guest that shares its bounce buffer", () => {
  test("is run under each strategy, the baseline on the trace as it was recorded", async () => {
    const found = byRun(await gpaliasJson(["compare", ...BOUNCE]));
    const replays = [...found.values()].filter((run) => "input" in run);
    expect([...found.keys()].slice(0, 2)).toEqual(["none/tdp", "none/rmap"]);
    expect(found.get("duplicate-slots/tdp")).toEqual({
      run: "duplicate-slots/tdp",
      notApplicable: expect.any(String),
    });
    for (const { config, input } of replays) {
      const isBaseline = config.alias.strategy === "none";
      expect(input).toMatchObject({ events: 218_532, conversions: isBaseline ? 0 : 16_384 });
      expect(config).toMatchObject({ project: isBaseline ? "as-recorded" : "bounce", addressBits: 48 });
    }
    expect(found.get("none/tdp")?.outcomes).toEqual({ hit: 563, fixed: 81_741, emulate: 53 + 136_174 });
  });

  test("is at one alias at a time where a strategy claims so, and stays at both elsewhere", async () => {
    const found = byRun(await gpaliasJson(["compare", ...BOUNCE]));
    for (const run of ["mirror/tdp", "precise/tdp", "precise/rmap"]) {
      expect(found.get(run)).toMatchObject({ violations: [], coexisting: 0 });
      // The bounce buffer, and what was read of the ROMs, which are never private.
      const shared = found.get(run)?.leaves["0x800000000000"]?.["4K"] ?? 0;
      expect([shared >= 16_384, shared < 16_384 + 100]).toEqual([true, true]);
    }
  });
});

describe("two views of each page in turn", () => {
  test("find what is wrong with the patch as it was posted, and nothing in precise", async () => {
    const found = byRun(await gpaliasJson(["compare", ...CHURN]));
    expect(found.get("v5-as-posted/tdp")?.violations.map(({ rule }) => rule)).toContain("alias-stuck");
    expect(found.get("v5-as-posted/tdp")?.outcomes.stuck).toBeGreaterThan(0);
    for (const run of ["precise/tdp", "precise/rmap"]) expect(found.get(run)?.violations).toEqual([]);
  });

  test("give the same result at every batch size", async () => {
    const timeless = async (batch: string) => {
      const { runs } = await gpaliasJson(["compare", ...CHURN, "--batch", batch]);
      return runs.map((run: Replay) => ({ ...run, timing: null }));
    };
    expect(await timeless("4099")).toEqual(await timeless("65536"));
  });

  test("agree with a replay of one of them", async () => {
    const args = [...CHURN, "--strategy", "stolen-bits", "--mmu", "rmap"];
    const { runs } = await gpaliasJson(["compare", ...args]);
    const replay = await gpaliasJson(["replay", ...args]);
    expect({ ...runs[0], timing: null }).toEqual({ ...replay, timing: null });
    expect(runs.length).toBe(1);
  });
});

describe("--fail-on", () => {
  test.each([
    [["--strategy", "v5-as-posted", "--fail-on", "alias-stuck"], 1],
    [["--fail-on", "any"], 1],
    [["--strategy", "precise,none", "--fail-on", "any"], 0],
    [["--strategy", "v5-as-posted", "--fail-on", "stale-translation", "--mmu", "tdp"], 0],
  ])("%j exits %d", async (args, expected) => {
    const { status, stdout, stderr } = await gpalias(["compare", ...CHURN, ...args]);
    expect(status).toBe(expected);
    expect(stdout).toMatch(/what went wrong/i);
    if (expected === 1) expect(stderr).toContain("v5-as-posted/tdp is unsafe under alias-stuck");
    else expect(stderr).toBe("");
  });
});

describe("text for a person", () => {
  test.each(["60", "80", "120"])(
    "at %s columns no line is wider, and every run is there",
    async (columns) => {
      const examples = ["examples/fs-bounce-pc-2c-4g.faults.bin.br", ...BOUNCE.slice(1)];
      const { status, stdout } = await gpalias(["compare", ...examples], { env: { COLUMNS: columns } });
      expect(status).toBe(0);
      expect(stdout.split("\n").filter((line) => line.length > Number(columns))).toEqual([]);
      for (const run of ["none/tdp", "precise/rmap", "mirror/tdp", "v5-as-reviewed/rmap"]) {
        expect(stdout).toContain(run);
      }
      expect(stdout).not.toMatch(/\bsafe\b/);
    },
  );

  test("a pipe gets no colour, and stderr neither progress nor a warning of Node's", async () => {
    const { stdout, stderr } = await gpalias(["compare", ...BOUNCE]);
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toBe("");
  });
});

test("SIGINT ends a comparison with 130 and says how far it came", async () => {
  const { status, stdout, stderr } = await gpalias(["compare", ...CHURN, "--batch", "1"], {
    onStart: (kill) => setTimeout(() => kill("SIGINT"), 2500),
  });
  expect([status, stdout]).toEqual([130, ""]);
  expect(stderr).toMatch(/^gpalias: interrupted after [\d,]+ events\n$/);
});

describe("gpalias strategies", () => {
  test("lists the nine with flavours, presets and defects", async () => {
    const { strategies } = await gpaliasJson(["strategies"]);
    expect(strategies.map(({ name }: { name: string }) => name)).toEqual([
      "duplicate-slots",
      "mirror",
      "none",
      "precise",
      "role-private",
      "stolen-bits",
      "stolen-bits-tdx",
      "v5-as-posted",
      "v5-as-reviewed",
    ]);
    const { stdout } = await gpalias(["strategies"]);
    expect(stdout).toMatch(/^mirror\n +what [\s\S]+?\n +flavours +tdp\n +presets +private-shared\n/m);
  });
});
