/** `gpalias witness`: what it prints, what it leaves behind, and what it says of what it cannot do. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import type { WitnessReport } from "../../lib/index.js";
import { root } from "../support/source-graph.js";
import { type Ended, FS_BOUNCE, gpalias, gpaliasJson, STORM_HEAD } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-witness-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);

const CHURN = ["--alias", "bits:47", "--project", "churn:3,1", "--tlb"];
const STALE = [STORM_HEAD, "--run", "stolen-bits/tdp", ...CHURN, "--flush-provider", "fail:2"];
const BOUNCE = [FS_BOUNCE, "--alias", "tdx47", "--project", "bounce"];

/** Runs a command as it was printed, but with the command under test. */
function typed(command: string): Promise<Ended> {
  const [, ...words] = command.split(" ");
  return gpalias(words.map((word) => word.replaceAll("'", "")));
}

const commandIn = (stderr: string): string => /replay it with: (.*)\n/.exec(stderr)?.[1] ?? "";

describe("what it prints", () => {
  test("three events, with the flush that failed and the translation that is overdue", async () => {
    const { status, stdout } = await gpalias(["witness", ...STALE, "--rule", "stale-translation"]);
    expect(status).toBe(0);
    expect(stdout).toContain("stolen-bits/tdp breaks stale-translation (known defect B14)");
    expect(stdout).toContain("in 3 steps: none can be left out");
    expect(stdout).toMatch(/1\. +405 {2}vCPU 0 {2}read 0x0 alias 1 +fixed/);
    expect(stdout).toMatch(/2\. +442 {2}VMM +dirty-log round +done +range, 1 +1/);
    expect(stdout).toContain("0x800000000000: 4K RWX AD -> 4K R-X AD");
    expect(stdout).toMatch(/level 1, table D: 0x[0-9a-f]{16} leaf {4}R-X AD/);
    expect(stdout).toContain("overdue: owed a flush");
  });

  test.each(["60", "80", "120"])("at %s columns no line of prose is wider", async (COLUMNS) => {
    const { stdout } = await gpalias(["witness", ...STALE], { env: { COLUMNS } });
    const [prose = ""] = stdout.split("\nTimeline");
    const isWide = (line: string) => line.length > Number(COLUMNS) && !line.includes(STORM_HEAD);
    expect(prose.split("\n").filter(isWide)).toEqual([]);
  });

  test("at 80 columns no line at all is wider", async () => {
    const { stdout } = await gpalias(["witness", ...STALE, "--rule", "stale-translation"]);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("a table that two aliases share is said to be", async () => {
    const { stdout } = await gpalias(["witness", ...BOUNCE, "--run", "v5-as-posted/rmap"]);
    expect(stdout).toMatch(/level 1, table D: .* shared with alias 1/);
  });

  test("the same as JSON twice, but for the time that it took", async () => {
    const [one, two]: WitnessReport[] = await Promise.all([
      gpaliasJson(["witness", ...STALE]),
      gpaliasJson(["witness", ...STALE]),
    ]);
    expect({ ...two, timing: undefined }).toEqual({ ...one, timing: undefined });
    expect(one).toMatchObject({ found: true, minimal: true, run: "stolen-bits/tdp", defect: "B14" });
  });

  test("advice has a witness too, if it is asked for", async () => {
    const args = [STORM_HEAD, "--run", "stolen-bits/rmap", ...CHURN, "--flush-provider", "hyperv"];
    const found: WitnessReport = await gpaliasJson(["witness", ...args, "--rule", "flush-wider-than-live"]);
    expect(found.rule).toMatchObject({ id: "flush-wider-than-live", kind: "advisory" });
    expect(found.steps.length).toBeLessThanOrEqual(3);
  });

  test("compare and replay end with the command that looks for one", async () => {
    const compared = await gpalias(["compare", ...BOUNCE, "--strategy", "v5-as-posted", "--no-hash"]);
    expect(compared.stdout).toMatch(/gpalias witness <trace> --run <run> --rule <rule>/);
    const replayed = await gpalias(["replay", ...BOUNCE, "--strategy", "v5-as-posted", "--no-hash"]);
    expect(replayed.stdout).toMatch(/gpalias witness <trace> --run v5-as-posted\/tdp --rule alias-stuck/);
  });
});

describe("what it leaves behind", () => {
  test.each([
    ["stale", [...STALE, "--rule", "stale-translation"]],
    ["lost", [...STALE, "--rule", "dirty-lost"]],
    ["stuck", [...BOUNCE, "--run", "v5-as-posted/tdp"]],
  ])("%s: --out writes a trace that the printed command replays to the same rule", async (name, args) => {
    const out = file(`${name}.bin`);
    const found = await gpalias(["witness", ...args, "--out", out]);
    expect([found.status, found.stderr]).toEqual([0, expect.stringContaining("gpalias replay")]);
    const rule = /(?:breaks|is told) ([a-z-]+)/.exec(found.stdout)?.[1];
    const again = await typed(commandIn(found.stderr));
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining(rule as string)]);
    expect(JSON.parse(readFileSync(`${out}.json`, "utf8"))).toMatchObject({
      rule,
      memslots: expect.any(Array),
    });
  });

  test("a trace that is named as captures are has its memslots where captures have them", async () => {
    const out = file("as-capture.faults.bin");
    await gpalias(["witness", ...STALE, "--out", out, "-q"]);
    expect(existsSync(file("as-capture.json"))).toBe(true);
  });

  test("--export-test writes a case that vitest passes, and fails where the rule is kept", async () => {
    const path = file("exported.test.ts");
    const { status } = await gpalias(["witness", ...STALE, "--rule", "dirty-lost", "--export-test", path]);
    expect(status).toBe(0);
    expect(await vitest(path)).toMatch(/1 passed/);
    const kept = file("kept.test.ts");
    writeFileSync(kept, readFileSync(path, "utf8").replace("fail:2", "hyperv"));
    expect(await vitest(kept)).toMatch(/1 failed/);
  }, 120_000);
});

/** The package by its own name, as whoever keeps the file has it. */
async function vitest(path: string): Promise<string> {
  const config = file("vitest.config.mjs");
  const alias = { gpalias: join(root, "lib/index.ts") };
  writeFileSync(
    config,
    `export default ${JSON.stringify({ root: folder, resolve: { alias }, test: { include: [path] } })}`,
  );
  const main = join(root, "node_modules/vitest/vitest.mjs");
  const run = promisify(execFile)(process.execPath, [main, "run", "--config", config], { cwd: root });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stripVTControlCharacters(stdout);
}

describe("what it cannot do", () => {
  test("no violation is no proof: it names how many events it has seen, and exits 1", async () => {
    const { status, stdout } = await gpalias(["witness", STORM_HEAD, "--run", "precise/tdp", ...CHURN]);
    expect(status).toBe(1);
    expect(stdout).toContain("precise/tdp: no violation in 200,000 events of ");
    expect(stdout).toContain("stale-translation");
    expect(stdout).not.toMatch(/\bsafe\b/);
  });

  test("a rule that cannot fire without an option is said to be blind", async () => {
    const args = [
      STORM_HEAD,
      "--run",
      "stolen-bits/tdp",
      "--alias",
      "bits:47",
      "--rule",
      "stale-translation",
    ];
    const { status, stdout } = await gpalias(["witness", ...args]);
    expect(status).toBe(1);
    expect(stdout).toContain("no violation of stale-translation in 200,000 events");
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("stale-translation cannot fire in this VM");
  });

  test("nothing found leaves no file behind", async () => {
    const [out, exported] = [file("none.bin"), file("none.test.ts")];
    await gpalias(["witness", STORM_HEAD, "--run", "none/tdp", "--out", out, "--export-test", exported]);
    expect([out, `${out}.json`, exported].filter(existsSync)).toEqual([]);
  });

  test.each([
    [["--rule", "stale-translations"], "(did you mean stale-translation?)"],
    [["--run", "stolen"], 'no run is called "stolen"; there are duplicate-slots/tdp'],
    [["--run", "mirror/rmap"], 'no run is called "mirror/rmap"'],
    [["--budget", "soon"], "expected a time such as 90s, 2m or 1h"],
    [["--budget", "0"], "expected a time such as"],
    [["--out", "-"], "name files"],
    [["--out", "x", "--export-test", "x"], "the same file"],
  ])("%j is refused as usage", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(["witness", STORM_HEAD, ...args]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  });

  test("a damaged trace is refused with its place", async () => {
    const path = file("cut.bin");
    writeFileSync(path, readFileSync(join(root, "package.json")).subarray(0, 100));
    const { status, stderr } = await gpalias(["witness", path]);
    expect([status, stderr]).toEqual([3, expect.stringContaining(path)]);
  });

  test("a trace that is cut in front of its violation is refused with what is missing", async () => {
    const found = await gpalias(["witness", ...STALE, "--out", file("whole.bin"), "-q"]);
    expect(found.status).toBe(0);
    const bytes = readFileSync(file("whole.bin"));
    writeFileSync(file("short.bin"), bytes.subarray(0, bytes.length - 5));
    const { status, stderr } = await gpalias([
      "witness",
      file("short.bin"),
      "--memslots",
      file("whole.bin.json"),
    ]);
    expect([status, stderr]).toEqual([3, expect.stringContaining("5 more before the end")]);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk ends it with 3", async () => {
    for (const option of ["--out", "--export-test"]) {
      const { status, stderr } = await gpalias(["witness", ...STALE, option, "/dev/full"]);
      expect([status, stderr]).toEqual([3, expect.stringContaining("the disk is full")]);
    }
  });

  test("a file that cannot be written is said before anything is read", async () => {
    const { status, stderr } = await gpalias(["witness", "no-such-trace", "--out", "/no/such/folder/x.bin"]);
    expect([status, stderr]).toEqual([3, expect.stringContaining("/no/such/folder/x.bin")]);
  });

  test("an interruption ends it with 130, and leaves no part of a file", async () => {
    const ended = await gpalias(["witness", ...STALE, "--out", file("never.bin")], {
      onStart: (kill) => {
        const timer = setInterval(() => {
          if (!readdirSync(folder).some((name) => name.startsWith("never.bin."))) return;
          clearInterval(timer);
          kill("SIGINT");
        }, 5);
      },
    });
    expect(ended.status).toBe(130);
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
