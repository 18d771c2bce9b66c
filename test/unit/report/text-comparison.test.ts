import { describe, expect, test } from "vitest";
import { type Comparison, type Replay, renderComparison } from "../../../lib/index.js";
import { aReplay, aViolation } from "../../support/a-replay.js";

const ESCAPE = "\u001b";
const baseline = aReplay("none/tdp");
const runs: Comparison["runs"] = [
  { ...baseline, config: { ...baseline.config, project: "as-recorded" } },
  aReplay("precise/tdp"),
  aReplay("v5-as-posted/tdp", {
    violations: [aViolation("alias-stuck", 1234), aViolation("permission-leak", 7)],
  }),
  aReplay("stolen-bits-tdx/rmap", { flush: { none: 0, range: 0, full: 32_768, pages: 0 } }),
  { run: "mirror/tdp", notApplicable: "a provider of range flushes is refused, as TDX has none" },
];
const comparison: Comparison = { schemaVersion: 1, input: baseline.input, runs };

const rowOf = (text: string, run: string) =>
  text.split("\n").find((line) => line.startsWith(`  ${run} `)) ?? "";

describe("at any width", () => {
  test.each([40, 60, 80, 100, 120, 160])("%d columns: no line is wider", async (columns) => {
    const text = await renderComparison(comparison, { columns });
    const wide = text.split("\n").filter((line) => line.length > columns);
    expect(wide).toEqual([]);
  });

  test.each([60, 80, 120, 160])("%d columns: every run, verdict and reason is there", async (columns) => {
    const text = (await renderComparison(comparison, { columns })).replace(/\s+/g, " ");
    for (const { run } of runs) expect(text).toContain(run);
    expect(text).toContain("no violation in 218,532 events");
    expect(text).toContain(
      "unsafe under alias-stuck (1,234, from event 41), permission-leak (7, from event 41)",
    );
    expect(text).toContain("alias-stuck (D1a) the guest makes no progress through this alias");
    expect(text).toContain("mirror/tdp n/a: a provider of range flushes is refused, as TDX has none");
    expect(text).not.toMatch(/\bsafe\b/);
  });

  test.each([60, 80, 120])("%d columns: faults and flushes are never dropped", async (columns) => {
    const text = await renderComparison(comparison, { columns });
    for (const figure of ["98,126", "16,384", "7"]) expect(rowOf(text, "precise/tdp")).toContain(figure);
    expect(rowOf(text, "mirror/tdp")).toContain("n/a");
  });
});

test("a wide terminal has the verdict in the row, a narrow one below", async () => {
  const [wide, narrow] = await Promise.all(
    [150, 80].map((columns) => renderComparison(comparison, { columns })),
  );
  expect(rowOf(wide ?? "", "v5-as-posted/tdp")).toContain("unsafe under alias-stuck");
  expect(rowOf(narrow ?? "", "v5-as-posted/tdp")).not.toContain("unsafe");
  expect(narrow).toContain("\nWhat went wrong\n");
  expect(wide).not.toContain("\nWhat went wrong\n");
});

test("all costs are shown where there is room, in units that a person reads", async () => {
  const text = await renderComparison(comparison, { columns: 160 });
  expect(rowOf(text, "precise/tdp")).toMatch(
    /98,126 +212 +848 KiB +16,384 +7 +31 +1,234,567 +12 +no violation in 218,532 events$/,
  );
});

test("the header says trace, preset, projection, provider and TLB", async () => {
  const text = await renderComparison(comparison);
  expect(text).toMatch(/^examples\/fs\.faults\.bin\.br\n/);
  expect(text).toMatch(/conversions +16,384 pages, inserted by the projection/);
  expect(text).toContain("Comparison of 4 runs");
  expect(text).toMatch(/alias +tdx47 \(bit 47\)/);
  expect(text).toMatch(/projection +bounce/);
  expect(text).toMatch(/range flush +hyperv/);
  expect(text).toMatch(/TLB +1,536 entries, 12 ways/);
});

test("bars show who flushes most, full flushes apart, and only where there is room", async () => {
  const [wide, narrow] = await Promise.all(
    [100, 60].map((columns) => renderComparison(comparison, { columns })),
  );
  const bars = (wide ?? "").split("Flushes: ")[1] ?? "";
  expect(bars).toMatch(/stolen-bits-tdx\/rmap {2}#{60}$/m);
  expect(bars).toMatch(/precise\/tdp +#-{29,30}$/m);
  expect(narrow).not.toContain("Flushes: ");
});

test("a verdict is red or green, and only if colour is asked for", async () => {
  const paint = (code: number, text: string) => `${ESCAPE}[${code}m${text}`;
  const text = await renderComparison(comparison, { color: true, columns: 160 });
  expect(text).toContain(paint(31, "unsafe under alias-stuck"));
  expect(text).toContain(paint(32, "no violation"));
  expect(await renderComparison(comparison)).not.toContain(ESCAPE);
});

test("a reason is said once, whoever has it, and each reason that differs", async () => {
  const other = { ...aViolation("permission-leak", 3), reason: "a shared access reaches private memory" };
  const again = aReplay("v5-as-reviewed/tdp", { violations: [aViolation("alias-stuck", 5), other] });
  const text = await renderComparison({ ...comparison, runs: [...runs, again] });
  const [, why = ""] = text.replace(/\s+/g, " ").split("Why, as each was first seen ");
  expect(why).toMatch(
    /^alias-stuck \(D1a\) the guest makes no progress through this alias permission-leak \(D1a\) the guest makes no progress through this alias; or a shared access reaches private memory more gpalias explain <rule> shortest gpalias witness <trace> --run <run> --rule <rule>, options as here/,
  );
});

test("an advisory stands apart from what went wrong, with its count, first event and reason", async () => {
  const dear = {
    ...aViolation("flush-wider-than-live", 9000),
    defect: "D8",
    reason: "nothing was mapped there",
  };
  const text = await renderComparison({
    ...comparison,
    runs: [baseline, aReplay("stolen-bits/tdp", { advisories: [dear] })],
  });
  expect(text).toMatch(/stolen-bits\/tdp +no violation in 218,532 events/);
  const [before = "", advice = ""] = text.replace(/\s+/g, " ").split("What could be cheaper ");
  expect(before).not.toContain("flush-wider-than-live");
  expect(advice).toMatch(
    /^stolen-bits\/tdp flush-wider-than-live \(9,000, from event 41\) flush-wider-than-live \(D8\) nothing was mapped there/,
  );
  expect(await renderComparison({ ...comparison, runs: [baseline] })).not.toContain("cheaper");
});

test("the same comparison gives the same text", async () => {
  expect(await renderComparison(structuredClone(comparison))).toBe(await renderComparison(comparison));
});

test("one run alone is a comparison too", async () => {
  const [run] = runs as Replay[];
  const text = await renderComparison({ ...comparison, runs: [run as Replay] });
  expect(text).toContain("Comparison of 1 run\n");
});
