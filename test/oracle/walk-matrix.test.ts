/** The matrix of guest walks: what it covers, what it would find, and that two evaluations of it agree. */
import { describe, expect, test } from "vitest";
import { isLongRun, runSeed } from "../support/random.js";
import type { Features } from "./reference-walker/features.js";
import type { Registers } from "./reference-walker/registers.js";
import { type Answers, type Batch, CASES, TRANSLATED, tableBytes, takeTable } from "./walk-matrix/batch.js";
import { answersByTables } from "./walk-matrix/by-tables.js";
import { batchOf } from "./walk-matrix/generate.js";
import { plainAnswers } from "./walk-matrix/plain.js";
import { TOP } from "./walk-matrix/settings.js";
import { compareMatrix, type Walker } from "./walk-matrix.js";

const LONG = { timeout: 30 * 60_000 };
const seed = runSeed();
const batches = (count: number): Batch[] => [...Array(count).keys()].map((n) => batchOf(seed, n));
const all = 1;

test("the plain walker and the tables agree on every case (a million with GPALIAS_LONG)", LONG, () => {
  const cases = isLongRun ? 1_000_000 : 50_000;
  expect(compareMatrix(answersByTables, { seed, cases, plainOneIn: all }).first).toBeUndefined();
});

describe("what is enumerated", () => {
  test("ends on every size of page, and in every error code, of every mode", () => {
    const seen = new Map<Batch["mode"], Set<string>>();
    for (const batch of batches(128)) {
      const of = seen.get(batch.mode) ?? new Set();
      seen.set(batch.mode, of);
      const { codes, levels } = answersByTables(batch);
      for (const [i, code] of codes.entries())
        of.add(code === TRANSLATED ? `level ${levels[i]}` : `code ${code}`);
    }
    const causes = (codes: readonly number[]) => codes.map((code) => `code ${code}`);
    const absent = [0, 2, 4, 6, 16, 20];
    const codes = causes([...absent, ...[1, 3, 5, 7, 17, 21], ...absent.map((each) => each | 9)]);
    const keys = causes([33, 35, 37, 39]);
    const levels = ["level 1", "level 2"];
    expect(Object.fromEntries([...seen].map(([mode, of]) => [mode, [...of].sort()]))).toEqual({
      "32-bit": [...codes, ...levels].sort(),
      pae: [...codes, ...levels].sort(),
      "4-level": [...codes, ...keys, ...levels, "level 3"].sort(),
      "5-level": [...codes, ...keys, ...levels, "level 3"].sort(),
    });
  });

  test("has all 128 combinations of control bits of each mode within 64 batches", () => {
    const combinations = batches(64).flatMap(({ mode, settings }) =>
      settings.map(({ cr0, cr4, efer, rflags }) => [mode, cr0, cr4, efer, rflags].join()),
    );
    expect(new Set(combinations).size).toBe(4 * 128);
  });

  test("has from a third to a half of the accesses allowed", () => {
    const codes = batches(32).flatMap((batch) => [...answersByTables(batch).codes]);
    const share = codes.filter((code) => code === TRANSLATED).length / codes.length;
    expect(share).toBeGreaterThan(1 / 3);
    expect(share).toBeLessThan(1 / 2);
  });

  test("is the same for the same seed and number, and for no other", () => {
    expect(batchOf(seed, 7)).toEqual(batchOf(seed, 7));
    expect(batchOf(seed, 7).entries).not.toEqual(batchOf(seed + 1, 7).entries);
    expect(batchOf(seed, 7).entries).not.toEqual(batchOf(seed, 11).entries);
  });

  test("leaves each case to itself: alone it comes to what it came to among others", () => {
    for (const batch of batches(4)) {
      const together = plainAnswers(batch);
      const entries = new BigUint64Array(batch.entries.length);
      for (let at = 300; at < entries.length; at += CASES) entries[at] = batch.entries[at] ?? 0n;
      const alone = plainAnswers({ ...batch, entries });
      expect(alone.codes[300]).toBe(together.codes[300]);
      expect(alone.gpas[300]).toBe(together.gpas[300]);
      for (let at = 300; at < entries.length; at += CASES)
        expect(alone.entries[at]).toBe(together.entries[at]);
    }
  });
});

test("a table goes to the bytes of a page and comes back, of 4-byte entries as of 8", () => {
  for (const batch of batches(4)) {
    const entries = new BigUint64Array(batch.entries.length);
    for (let level = 1; level <= TOP[batch.mode]; ++level) {
      const bytes = tableBytes(batch, level);
      expect(bytes).toHaveLength(4096);
      takeTable(batch, level, bytes, entries);
    }
    expect(entries).toEqual(batch.entries);
  }
});

describe("a walker is found that", () => {
  const under =
    (
      features: (own: Features) => Partial<Features>,
      registers: (own: Registers) => Partial<Registers>,
    ): Walker =>
    (batch) =>
      answersByTables({
        ...batch,
        features: { ...batch.features, ...features(batch.features) },
        settings: batch.settings.map((own) => ({ ...own, ...registers(own) })),
      });
  const none = () => ({});
  const withFeatures = (change: (own: Features) => Partial<Features>) => under(change, none);
  const withRegisters = (change: (own: Registers) => Partial<Registers>) => under(none, change);
  const changed =
    (change: (answers: Answers, batch: Batch) => void): Walker =>
    (batch) => {
      const answers = answersByTables(batch);
      change(answers, batch);
      return answers;
    };

  const wrong: [string, Walker][] = [
    [
      "takes one address bit too many",
      withFeatures(({ maxphyaddr = 36 }) => ({ maxphyaddr: maxphyaddr + 1 })),
    ],
    ["takes one too few", withFeatures(({ maxphyaddr = 36 }) => ({ maxphyaddr: maxphyaddr - 1 }))],
    ["has no AMD guests", withFeatures(() => ({ isAmd: false }))],
    ["lets everyone have 1 GiB pages", withFeatures(() => ({ hasGigabytePages: true }))],
    ["reserves stolen bits", withFeatures(() => ({ stolen: 0n }))],
    ["ignores CR0.WP", withRegisters(({ cr0 }) => ({ cr0: cr0 | 0x1_0000n }))],
    ["ignores SMEP", withRegisters(({ cr4 }) => ({ cr4: cr4 & ~0x10_0000n }))],
    ["ignores SMAP", withRegisters(({ cr4 }) => ({ cr4: cr4 & ~0x20_0000n }))],
    ["ignores keys", withRegisters(({ cr4 }) => ({ cr4: cr4 & ~0x40_0000n }))],
    ["always has large pages of 4 MiB", withRegisters(({ cr4 }) => ({ cr4: cr4 | 0x10n }))],
    ["always has NX", withRegisters(({ efer }) => ({ efer: efer | 0x800n }))],
    ["ignores EFLAGS.AC", withRegisters(({ rflags }) => ({ rflags: rflags & ~0x4_0000n }))],
    [
      "takes an implicit access for a meant one",
      (batch) => answersByTables({ ...batch, accesses: batch.accesses.map((each) => each & 0x7f) }),
    ],
    [
      "drops PAT into the address",
      changed(({ gpas }, { entries, mode }) => {
        if (mode === "32-bit") return;
        for (let i = 0; i < CASES; ++i)
          if (((entries[2 * CASES + i] ?? 0n) & 0x1080n) === 0x1080n) gpas[i] = (gpas[i] ?? 0n) ^ 0x1000n;
      }),
    ],
    ["marks nothing", changed(({ entries }, batch) => entries.set(batch.entries))],
    [
      "grants W of a clean page",
      changed(({ rights }) => {
        for (let i = 0; i < CASES; ++i) rights[i] = (rights[i] ?? 0) | 2;
      }),
    ],
    ["tells the wrong level", changed(({ levels }) => levels.fill(1))],
  ];
  test.each(wrong)("%s", (_, walker) => {
    const { compared, first } = compareMatrix(walker, { seed, cases: 50_000 });
    expect(first).toMatch(new RegExp(`^seed ${seed}, batch \\d+, case \\d+\\n.*cr0 0x`));
    expect(first).toMatch(/\naddress 0x.*entries 0x.*\nexpected .*\ngot .*$/);
    expect(compared).toBeLessThan(25_000);
  });
});
