import { describe, expect, test } from "vitest";
import { gpalias, gpaliasJson } from "./run-cli.js";

interface Row {
  readonly name: string;
}
const named = (rows: readonly Row[]): string[] => rows.map(({ name }) => name);

describe("bench", () => {
  test("--list names every trial once, in C++ and in TypeScript, and says what it takes", async () => {
    const { list } = await gpaliasJson(["bench", "--list"]);
    const names = named(list);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        "hits-plain-1GiB",
        "touch-256GiB",
        "fill-256GiB",
        "hits-map-bigint-1GiB",
        "tables-dense-1GiB",
      ]),
    );
    const { stdout } = await gpalias(["bench", "--list", "text"]);
    expect(stdout.replaceAll(/\n +/g, " ")).toMatch(
      /^text-read lines of a file into columns, beside a bare read of the file; takes [\d.]+ MiB$/m,
    );
    expect(stdout).not.toContain("hits");
  });

  test("a family's name picks its trials, and the medians divide to the ratio", async () => {
    const { trials, tables, machine, skipped } = await gpaliasJson(["bench", "decode", "--pairs", "1"]);
    expect(named(trials)).toEqual(["decode-binary", "decode-text"]);
    for (const { nsPerEvent, floorNsPerEvent, ratio, pairs } of trials) {
      expect(ratio).toBeCloseTo(nsPerEvent / floorNsPerEvent);
      expect([nsPerEvent > 0, pairs]).toEqual([true, 1]);
    }
    expect([tables, skipped]).toEqual([[], []]);
    expect(machine.paths.at(-1)).toBe("portable");
    expect(machine.taken.text).toBe(machine.paths[0]);
  });

  test("for a person: the machine, the figures, a bar to the target, tables, nothing wider than asked", async () => {
    const args = ["bench", "hits-map-number", "touch-1GiB", "tables-dense", "--pairs", "1"];
    const wide = await gpalias(args, { env: { COLUMNS: "80" } });
    expect([wide.status, wide.stderr]).toEqual([0, ""]);
    expect(wide.stdout).toMatch(/^ {2}machine +.+ cores/m);
    expect(wide.stdout).toMatch(/^ {2}touch-1GiB +[\d.]+ +[\d.]+ +[\d.]+ +<= 1.5 +#+/m);
    expect(wide.stdout).toMatch(/^ {2}every 4K page of 1 GiB +8\.\d+ +8\.05 +1\.0\d +<= 1.1$/m);
    for (const columns of [80, 60]) {
      const { stdout } = await gpalias(args, { env: { COLUMNS: String(columns) } });
      expect(stdout.split("\n").filter((line) => line.length > columns)).toEqual([]);
    }
  });

  test("what takes more memory than it may have is skipped, and said", async () => {
    const { skipped, trials } = await gpaliasJson([
      "bench",
      "decode-text",
      "hits-plain-256GiB",
      "--memory",
      "1M",
    ]);
    expect(trials).toEqual([]);
    expect(named(skipped)).toEqual(["decode-text", "hits-plain-256GiB"]);
    expect(skipped[0].why).toMatch(/^it takes \d+ MiB of memory, and may have 1 MiB$/);
    const { stdout } = await gpalias(["bench", "decode-text", "--memory", "1M"]);
    expect(stdout).toContain("skipped decode-text: it takes");
  });

  test("a signal ends it between two turns", async () => {
    const { status, stdout, stderr } = await gpalias(["bench", "decode", "--pairs", "1001"], {
      onStart: (kill) => setTimeout(() => kill("SIGINT"), 2500),
    });
    expect([status, stdout, stderr]).toEqual([130, "", "gpalias: interrupted\n"]);
  });

  test.each([
    [["bench", "hist"], "did you mean hits?"],
    [["bench", "touch-1GB"], "did you mean touch-1GiB?"],
    [["bench", "--list", "nothing-like-it"], "there are decode, fill, flush, guest, hits"],
    [["bench", "hits", "--pairs", "0"], "expected an integer from 1 to 1001"],
    [["bench", "hits", "--memory", "much"], "--memory"],
  ])("%j is refused as usage: %s", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  });
});
