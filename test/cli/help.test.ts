import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { gpalias } from "./run-cli.js";

const names = readdirSync(join(root, "lib/cli/commands")).map((file) => file.replace(".ts", ""));

describe("help and version", () => {
  test("--version prints the version of package.json and nothing else", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(await gpalias(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("--help lists the commands whose files are in the folder, with two examples each", async () => {
    const { status, stdout } = await gpalias(["--help"]);
    expect(status).toBe(0);
    const [before = "", examples = ""] = stdout.split("Examples:");
    const listed = [...before.matchAll(/^ {2}([a-z]+) .*/gm)]
      .map((match) => match[1])
      .filter((name) => name !== "help");
    expect(listed.sort()).toEqual([...names].sort());
    for (const name of names) expect(examples.match(new RegExp(`gpalias ${name}\\b`, "g"))).toHaveLength(2);
  });

  test.each(names)("%s --help shows arguments, options and two examples", async (name) => {
    const { status, stdout } = await gpalias([name, "--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: gpalias ${name}`);
    expect(stdout.split("Examples:")[1]?.match(/^ {2}gpalias |\| gpalias /gm)).toHaveLength(2);
  });

  test.each(["60", "80"])("at %s columns no line of help is wider, examples apart", async (columns) => {
    const { stdout } = await gpalias(["replay", "--help"], { env: { COLUMNS: columns } });
    const [options = ""] = stdout.split("Examples:");
    expect(options.split("\n").filter((line) => line.length > Number(columns))).toEqual([]);
  });

  test("help replay is replay --help", async () => {
    expect(await gpalias(["help", "replay"])).toEqual(await gpalias(["replay", "--help"]));
  });

  test("help of a command that is far from any is refused too", async () => {
    const { status, stdout, stderr } = await gpalias(["help", "nonsense"]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("unknown command 'nonsense'");
  });

  test("no arguments print the help on stderr and exit 2", async () => {
    const { status, stdout, stderr } = await gpalias([]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: gpalias");
  });
});

describe("mistakes in the command line exit 2 and say what was meant", () => {
  test.each([
    [["repaly"], "replay"],
    [["help", "replay2"], "replay"],
    [["replay", "x.bin", "--memslot", "auto"], "--memslots"],
    [["replay", "x.bin", "--jsno"], "--json"],
  ])("%j suggests %s", async (args, meant) => {
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`Did you mean ${meant}?`);
  });

  test.each([
    [["replay"], "missing required argument"],
    [["replay", "a", "b"], "too many arguments"],
    [["replay", "x", "--batch", "many"], "expected an integer from 1 to"],
    [["replay", "x", "--batch", "0"], "expected an integer from 1 to"],
    [["replay", "x", "--vcpus", "70000"], "expected an integer from 1 to 65536"],
    [["replay", "x", "--backing", "8K"], "4K, 2M, 1G"],
    [["replay", "x", "--address-bits", "53"], "expected an integer from 32 to 52"],
    [["convert", "x"], "--output"],
  ])("%j says %s", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  });

  const BOOT = "examples/boot-q35-2c-1g.faults.bin.br";

  test.each([
    [["replay", BOOT, "--strategy", "miror"], "(did you mean mirror?)"],
    [["replay", BOOT, "--strategy", "mirror,precise"], "gpalias compare takes several"],
    [["replay", BOOT, "--alias", "tdx49"], '--alias "tdx49"'],
    [["replay", BOOT, "--alias", "bits:44,46"], '--alias "bits:44,46"'],
    [
      ["replay", BOOT, "--alias", "tdx47", "--address-bits", "52"],
      '--address-bits must be 48, as --alias "tdx47"',
    ],
    [["replay", BOOT, "--flush-provider", "xen"], "--flush-provider must be one of"],
    [["replay", BOOT, "--external-tables", "fail:0"], "--external-tables must be one of"],
    [
      ["replay", BOOT, "--tlb", "100"],
      "--tlb entries must be a multiple of --tlb ways, which is 12, got 100",
    ],
    [["replay", BOOT, "--project", "churn:3,1"], '--project must be "as-recorded" where --alias is "none"'],
    [["compare", BOOT, "--project", "churn:3,1"], "--project must be"],
    [["compare", BOOT, "--alias", "bits:47", "--project", "spin:3"], "--project must be"],
    [["compare", BOOT, "--alias", "tdx47", "--project", "bounce"], "--project must be"],
    [["compare", BOOT, "--strategy", "mirror,,precise"], "expected names separated by commas"],
    [["compare", BOOT, "--fail-on", "alias-stuk"], "--fail-on must be any or some of "],
    [["replay", "x", "--mmu", "ept"], "tdp, rmap"],
    [["replay", "x", "--guest-paging", "64"], "long, pae, 32, shadow-ept"],
    [["replay", "x", "--tlb", "12,many"], "expected a number of entries, or entries,ways"],
    [["replay", BOOT, "--tlb", "skylake-sever"], "(did you mean skylake-server?)"],
    [["replay", BOOT, "--tlb", "skylake-sever"], '--tlb must be one of "skylake-server"'],
  ])("%j says %s", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  });

  test.each([
    ["replay", "--strategy", "mirror", "--alias", "tdx47", "--mmu", "rmap"],
    ["replay", "--strategy", "mirror", "--alias", "bits:47"],
    ["replay", "--strategy", "precise", "--alias", "sev:47"],
    ["replay", "--strategy", "mirror", "--alias", "tdx47", "--flush-provider", "hyperv"],
    ["replay", "--strategy", "precise", "--alias", "bits:47", "--guest-paging", "32"],
    ["compare", "--strategy", "mirror", "--alias", "bits:47"],
    ["compare", "--strategy", "none,mirror", "--alias", "tdx47", "--mmu", "rmap"],
  ])("what cannot be together exits 4 with the reason: %s %s %s %s %s", async (command, ...options) => {
    const { status, stdout, stderr } = await gpalias([command, BOOT, ...options]);
    expect([status, stdout]).toEqual([4, ""]);
    expect(stderr).toMatch(/^gpalias: [a-z0-9-]+\/(tdp|rmap) with alias preset ".*" is not supported: .+\n$/);
  });
});
