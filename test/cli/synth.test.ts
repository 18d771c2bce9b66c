import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { gpalias, gpaliasJson } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-synth-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

describe("synth", () => {
  test.each(["log.bin", "log.ndjson", "log.parquet.gz"])(
    "%s is replayed with the memslots and vCPUs beside it",
    async (name) => {
      const asked = ["-v", "2", "-b", "1M", "-x", "2", "-s", "anonymous_thp", "-p", "1G", "-i", "3"];
      const made = await gpalias(["synth", "dirty-logging", at(name), ...asked]);
      expect(made).toEqual({
        status: 0,
        stdout: "",
        stderr: `gpalias: 2,053 events written; memslots in ${at(name)}.json\n`,
      });
      const { input, config, outcomes, dirtyRounds } = await gpaliasJson(["replay", at(name)]);
      expect(config.memslots).toMatchObject([
        { slot: 0, gpa: "0x40000000", size: "0x100000", hva: "0x10040000000", backing: "2M" },
        { slot: 1, gpa: "0x40100000", size: "0x100000", backing: "2M" },
      ]);
      expect(config).toMatchObject({ vcpus: 2, dirtyLog: "off" });
      expect(config.guesses[0]).toMatchObject({ what: "memslots", value: `${at(name)}.json` });
      expect(input).toMatchObject({ events: 2053, format: name.split(".")[1]?.replace("bin", "binary") });
      expect(dirtyRounds).toMatchObject({ rounds: 3, pages: 3 * 512 });
      expect(outcomes.fixed).toBeGreaterThan(0);
    },
  );

  test("a 52-bit guest is replayed without being told how wide it is", async () => {
    await gpalias(["synth", "sparse", at("wide.bin"), "-x", "32", "-b", "1M"]);
    const { config, outcomes } = await gpaliasJson(["replay", at("wide.bin")]);
    expect([config.addressBits, outcomes]).toEqual([52, { fixed: 256 }]);
  });

  test("- writes to stdout and leaves no file; --to and --memslots say what and where", async () => {
    const args = [
      "synth",
      "demand-paging",
      "-b",
      "8K",
      "-",
      "--to",
      "ndjson",
      "--memslots",
      at("slots.json"),
      "-q",
    ];
    const { status, stdout, stderr } = await gpalias(args, { cwd: folder });
    expect([status, stderr]).toEqual([0, ""]);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).gpa),
    ).toEqual(["0x100000000", "0x100001000"]);
    expect(JSON.parse(readFileSync(at("slots.json"), "utf8")).memslots).toHaveLength(1);
    expect(readdirSync(folder)).not.toContain("-.json");
  });

  test("-o is overlap: every vCPU touches every page", async () => {
    await gpalias(["synth", "demand-paging", at("own.bin"), "-v", "2", "-b", "8K"]);
    await gpalias(["synth", "demand-paging", at("all.bin"), "-v", "2", "-b", "8K", "-o"]);
    const eventsOf = async (name: string) => (await gpaliasJson(["inspect", at(name)])).input.events;
    expect([await eventsOf("own.bin"), await eventsOf("all.bin")]).toEqual([4, 8]);
  });

  test("a device gets no file beside it", async () => {
    const { status, stderr } = await gpalias(["synth", "demand-paging", "-b", "8K", "/dev/null"]);
    expect([status, stderr]).toEqual([0, "gpalias: 2 events written\n"]);
    expect(existsSync("/dev/null.json")).toBe(false);
  });

  test("--list names each workload that has a file, for people and as JSON", async () => {
    const files = readdirSync(join(root, "lib/synth/workloads")).map((file) => file.replace(".ts", ""));
    const { stdout } = await gpalias(["synth", "--list"]);
    expect(stdout.match(/^[a-z-]+$/gm)).toEqual(files.sort());
    const { workloads } = await gpaliasJson(["synth", "--list"]);
    expect(workloads.map(({ name }: { name: string }) => name)).toEqual(files);
  });

  test.each([
    [["synth"], "synth needs a workload"],
    [["synth", "sparse"], "synth needs a file"],
    [["synth", "sparse", "-o", "-b", "1G"], "-o is overlap"],
    [["synth", "spars", "x.bin"], "did you mean sparse?"],
    [["synth", "sparse", "x.bin", "-b", "1Q"], "--bytes must be"],
    [["synth", "sparse", "x.bin", "-s", "tape"], "expected one of 4K"],
    [["synth", "sparse", "x.bin", "--json"], "--json goes with --list"],
    [["synth", "sparse", "--list"], "--list lists every workload"],
    [["synth", "sparse", "x.bin", "-x", "3"], "slots must be a divisor"],
  ])("%j exits 2", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(args, { cwd: folder });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
    expect(existsSync(at("x.bin"))).toBe(false);
  });
});

describe("convert", () => {
  test("takes format and compression from the name of the file", async () => {
    await gpalias(["synth", "demand-paging", at("in.bin"), "-b", "64K"]);
    for (const [name, format, compression] of [
      ["a.jsonl.gz", "ndjson", "gzip"],
      ["a.parquet", "parquet", "none"],
      ["a.txt.br", "ftrace", "brotli"],
      ["a.whatever", "binary", "none"],
    ] as const) {
      const { status } = await gpalias(["convert", at("in.bin"), "-o", at(name)]);
      expect(status).toBe(0);
      const { input } = await gpaliasJson(["inspect", at(name)]);
      expect(input).toMatchObject({ format, compression, events: 16 });
    }
  });
});
