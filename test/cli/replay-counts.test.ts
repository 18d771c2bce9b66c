// What the command prints for the captures, against counts that were made
// independently of the engine: a set of pages and the captures' own flags.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findCapture } from "../support/capture.js";
import { BOOT, BOOT_SLOTS, BOOT_TEXT, FS_BOUNCE, gpaliasJson, STORM_HEAD } from "./run-cli.js";

const MINUTES = 60_000;

describe("the boot capture that the repository carries", () => {
  test("71,387 fixed, 8,904 hits, 59,095 emulated, all mapped at the end", async () => {
    const result = await gpaliasJson(["replay", BOOT]);
    expect(result.outcomes).toEqual({ hit: 8904, fixed: 71387, emulate: 59095 });
    expect(result.input).toMatchObject({
      format: "binary",
      compression: "brotli",
      events: 139387,
      accesses: 139386,
    });
    expect(result.input.byKind).toMatchObject({ access: 139386, end: 1 });
    expect(result.stats).toMatchObject({
      pf_fixed: 71387,
      pf_fast: 0,
      pages_4k: 71387,
      pages_2m: 0,
      pages_1g: 0,
    });
    expect(result.leaves).toEqual({ "0x0": { "4K": 71387, "2M": 0, "1G": 0 } });
    expect(result.dirty).toEqual({});
    expect(result.dirtyRounds).toEqual({ rounds: 0, reaping: 0, pages: 0 });
  });

  test("with dirty logging on 71,347 pages are dirty and no outcome changes", async () => {
    const result = await gpaliasJson(["replay", BOOT, "--dirty-log", "on"]);
    expect(result.outcomes).toEqual({ hit: 8904, fixed: 71387, emulate: 59095 });
    expect(sum(result.dirty)).toBe(71347);
  });

  test("its sha256 is that of the file, and is left out on request", async () => {
    const { sha256 } = (await gpaliasJson(["replay", BOOT])).input;
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await gpaliasJson(["replay", BOOT, "--no-hash"])).input).not.toHaveProperty("sha256");
  });

  test("everything but timing is the same at every batch size", async () => {
    const [small, large] = await Promise.all(
      ["1000", "65536"].map((batch) => gpaliasJson(["replay", BOOT, "--batch", batch])),
    );
    expect({ ...small, timing: null }).toEqual({ ...large, timing: null });
  });

  test("as tracefs text it has the same RAM outcomes: only first MMIO touches are in it", async () => {
    const result = await gpaliasJson(["replay", BOOT_TEXT]);
    expect(result.input).toMatchObject({ format: "ftrace", events: 80360, lost: 0 });
    expect(result.outcomes).toMatchObject({ hit: 8904, fixed: 71387 });
  });

  test.each([
    ["kept for a first look", []],
    ["as it comes", ["--memslots", BOOT_SLOTS, "--dirty-log", "off"]],
  ])("stdin, %s, gives what the file gives", async (_, options) => {
    const stdin = readFileSync(BOOT);
    const piped = await gpaliasJson(["replay", "-", "--memslots", BOOT_SLOTS, ...options], { stdin });
    const read = await gpaliasJson(["replay", BOOT]);
    const { input, outcomes, stats, tables } = read;
    expect(piped).toMatchObject({ input: { ...input, path: "stdin" }, outcomes, stats, tables });
  });

  test("memslots guessed from the addresses alone map all RAM that the guest used", async () => {
    const result = await gpaliasJson(["replay", "-"], { stdin: readFileSync(BOOT) });
    expect(result.outcomes.emulate).toBeLessThan(59_042 + 100);
    expect(result.stats.pages_4k).toBeGreaterThan(71_387 - 100);
    expect(result.config.guesses.map((guess: { what: string }) => guess.what)).toContain("memslot 0");
  });

  test("2M backing needs fewer faults and maps the same memory or more", async () => {
    const result = await gpaliasJson(["replay", BOOT, "--backing", "2M"]);
    expect(result.outcomes.fixed).toBeLessThan(71387);
    expect(result.leaves["0x0"]["2M"]).toBeGreaterThan(100);
    expect(result.outcomes.emulate).toBe(59095);
  });
});

test("fs-bounce: 81,741 fixed, 563 hits", async () => {
  const result = await gpaliasJson(["replay", FS_BOUNCE]);
  expect(result.outcomes).toEqual({ hit: 563, fixed: 81741, emulate: 53 + 136174 });
  expect(result.stats.pages_4k).toBe(81741);
});

test("storm-head: 194,759 fixed, 7,357 of them fast, 430 zaps, 1,183 rounds that all reap", async () => {
  const result = await gpaliasJson(["replay", STORM_HEAD]);
  expect(result.outcomes).toEqual({ hit: 2173, fixed: 194759, emulate: 125 + 1330 });
  expect(result.stats).toMatchObject({ pf_fast: 7357, pages_4k: 345 });
  expect(result.operations).toEqual({ "zap-all-fast": 430, "dirty-log-get": 1183 });
  expect(result.dirtyRounds).toMatchObject({ rounds: 1183, reaping: 1183 });
});

const storm = findCapture("storm-q35-2c-1g.faults.bin.br");
test.skipIf(!storm || !process.env["GPALIAS_LONG"])(
  "the whole storm: 4,578,527 fixed, 1,233,952 fast, 5,587 zaps, 15,366 rounds (GPALIAS_LONG)",
  async () => {
    const result = await gpaliasJson(["replay", storm?.pathname ?? ""]);
    expect(result.outcomes).toEqual({ hit: 621348, fixed: 4578527, emulate: 125 + 134466 });
    expect(result.stats).toMatchObject({ pf_fast: 1233952, pages_4k: 774 });
    expect(result.operations).toMatchObject({ "zap-all-fast": 5587, "dirty-log-get": 15366 });
    expect(result.dirtyRounds).toMatchObject({ rounds: 15366, reaping: 15366 });
  },
  10 * MINUTES,
);

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
