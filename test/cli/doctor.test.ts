import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { gpalias, gpaliasJson } from "./run-cli.js";

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly value: string;
  readonly advice?: string;
}

const finding = (findings: readonly Finding[], name: string) => findings.find((each) => each.name === name);

describe("doctor", () => {
  test("names Node, the addon and how it was found, the build, CPU, huge pages, memory and tools", async () => {
    const { ok, findings, build } = await gpaliasJson(["doctor"]);
    expect(ok).toBe(true);
    const names = findings.map(({ name }: Finding) => name);
    expect(names).toEqual(
      expect.arrayContaining(["node", "addon", "build", "cpu", "huge pages", "memory", "g++", "cmake"]),
    );
    expect(finding(findings, "addon")?.value).toMatch(
      /\.node \((built here|came with the package|named by .*)\)/,
    );
    expect(build.compiler).toBeTypeOf("string");
  });

  test("an addon that cannot be loaded is a failure with advice, and exits 4", async () => {
    const env = { GPALIAS_ADDON: join(root, "no-such-addon.node") };
    const { status, stdout } = await gpalias(["doctor", "--json"], { env });
    expect(status).toBe(4);
    const { ok, findings } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(finding(findings, "addon")).toMatchObject({ status: "failure" });
    expect(finding(findings, "addon")?.advice).toContain("npm run build:native");
  });

  test("tools that are absent are notes that name the package, not failures", async () => {
    const { status, stdout } = await gpalias(["doctor"], { env: { PATH: "/nonexistent" } });
    expect(status).toBe(0);
    expect(stdout).toMatch(/note +cmake +absent\n +-> apt-get install cmake \(optional, for/);
  });

  test("at 60 columns no line of a failure is wider, paths apart", async () => {
    const { stdout } = await gpalias(["doctor"], { env: { COLUMNS: "60", GPALIAS_ADDON: "/none.node" } });
    expect(stdout).toContain("FAIL");
    expect(stdout.split("\n").filter((line) => line.length > 60)).toEqual([]);
  });
});

test("other commands say how to build an addon that is missing, and exit 4", async () => {
  const { status, stdout, stderr } = await gpalias(["replay", "examples/boot-q35-2c-1g.faults.bin.br"], {
    env: { GPALIAS_ADDON: "/none.node" },
  });
  expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
  expect(stderr).toContain("cannot load the native addon");
});
