// The benchmarks run, and a failure while timing is not reported as a time.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";

function bench(script: string, ...args: string[]) {
  const path = join(root, "bench", script);
  return spawnSync(process.execPath, [path, ...args], { cwd: root, encoding: "utf8" });
}

const source = (path: string): string => readFileSync(join(root, path), "utf8");

describe("bench", () => {
  test("run.mjs --list names every trial once, with what it is compared with", () => {
    const { status, stdout } = bench("run.mjs", "--list");
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]);
    expect(status).toBe(0);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["boot-text", "aliases-storm-none-tdp"]));
  });

  test("trial.mjs prints one line of JSON", () => {
    const name = "aliases-storm-none-tdp";
    const { status, stdout } = bench("trial.mjs", name, "--seconds", "0.01");
    expect(status).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ name });
    expect(result.nsPerEvent).toBeGreaterThan(0);
    expect(result.samples).toBeGreaterThanOrEqual(7);
  });

  test("a trial that nobody has is a usage error", () => {
    const { status, stdout, stderr } = bench("trial.mjs", "no-such-trial");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain('no trial "no-such-trial"');
  });

  test("rust-vmm.mjs says what it lacks where there is no Rust, and ends with 4", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bench/rust-vmm.mjs")], {
      encoding: "utf8",
      env: { PATH: "/nonexistent" },
    });
    expect([status, stdout]).toEqual([4, ""]);
    expect(stderr).toContain("SKIPPED, it needs a Rust compiler (Debian: cargo)");
  });

  test("what throws while it is timed has no time, whether it returns or promises", async () => {
    const { measure } = await import(pathToFileURL(join(root, "bench/harness.mjs")).href);
    const fail = () => {
      throw new Error("wrong outcome");
    };
    await expect(measure({ run: fail, events: 1, seconds: 0.01 })).rejects.toThrow("wrong outcome");
    const run = () => Promise.reject(new Error("wrong outcome"));
    await expect(measure({ run, events: 1, isAsync: true })).rejects.toThrow("wrong outcome");
  });

  test("only harness.mjs knows the benchmark package", () => {
    const scripts = ["run", "trial", "trials", "formats", "instructions", "trials/aliases", "trials/traces"];
    const users = [...scripts, "harness"].filter((name) =>
      /from "benchmark"/.test(source(`bench/${name}.mjs`)),
    );
    expect(users).toEqual(["harness"]);
  });
});
