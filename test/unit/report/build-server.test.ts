// Reports for build servers, from results made by hand: what is in them, that
// they can be read, and that no text of a user breaks them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ComparedRun, type Rule, renderReport, reportFormats } from "../../../lib/index.js";
import { aReplay, aViolation } from "../../support/a-replay.js";
import { runSeed } from "../../support/random.js";
import { type Element, elements, parseXml } from "../../support/xml.js";

const rule = (id: string, change: Partial<Rule> = {}): Rule => ({
  id,
  kind: "violation",
  sentence: "it fires",
  reason: "It does.",
  source: "KVM: f(), v6.16",
  defects: [],
  needs: [],
  ...change,
});
const RULES = [
  rule("alias-stuck"),
  rule("flush-wider-than-live", { kind: "advisory", needs: ["flushProvider"] }),
  rule("permission-leak"),
  rule("stale-translation", { needs: ["tlb"] }),
];
const judged = ["alias-stuck", "flush-wider-than-live", "permission-leak"];
const advice = { ...aViolation("flush-wider-than-live", 12), defect: "D8", reason: "nothing was mapped" };
const runs: readonly ComparedRun[] = [
  aReplay("none/tdp", { judged: [] }),
  aReplay("v5-as-posted/tdp", { judged, violations: [aViolation("alias-stuck", 16_425)] }),
  aReplay("stolen-bits/tdp", { judged, advisories: [advice] }),
  { run: "mirror/tdp", notApplicable: "a provider of range flushes is refused" },
];

const golden = (name: string) => readFileSync(join(import.meta.dirname, "golden", name), "utf8");

test("the forms are those that are in the folder, by name", async () => {
  expect(await reportFormats()).toEqual(["junit", "ktap"]);
});

test.each([
  ["junit", "runs.junit.xml"],
  ["ktap", "runs.ktap"],
])("%s of four runs is as it was", async (form, file) => {
  expect(await renderReport(form, runs, RULES)).toBe(golden(file));
});

test("no rule passes in a lossy trace, unless it may; what fired, fired", async () => {
  const input = { ...aReplay("x/tdp").input, verdict: "lossy" as const, lost: 1200 };
  const lossy = [aReplay("v5-as-posted/tdp", { judged, input, violations: [aViolation("alias-stuck", 5)] })];
  const strict = await renderReport("ktap", lossy, RULES);
  expect(strict).toContain("not ok 1 alias-stuck");
  expect(strict).toContain(
    "ok 3 permission-leak # SKIP the trace is lossy: the recorder dropped 1,200 events",
  );
  const allowed = await renderReport("ktap", lossy, RULES, [], true);
  expect(allowed).toMatch(/ok 3 permission-leak$/m);
});

test("a form that does not exist is refused with the nearest", async () => {
  await expect(renderReport("juint", runs, RULES)).rejects.toMatchObject({
    code: "ERR_CONFIG",
    message: 'format must be one of junit, ktap (did you mean junit?), got "juint"',
  });
});

const caseOf = (root: Element, run: string, id: string): Element | undefined =>
  elements(root, "testcase").find(
    ({ attributes }) => attributes["classname"] === run && attributes["name"] === id,
  );

/** Signs that mean something to XML, among any others. */
const HOSTILE = fc
  .array(
    fc.oneof(
      fc.constantFrom("&", "<", ">", '"', "'", "\n", "\r", "\t", "]]>", "&amp;", "\u0000"),
      fc.string({ unit: "binary", maxLength: 3 }),
    ),
  )
  .map((parts) => parts.join(""));

describe("JUnit", () => {
  const parsed = async (failOn?: readonly string[]) =>
    parseXml(await renderReport("junit", runs, RULES, failOn));

  test("is well-formed, and has a case for each rule of each run", async () => {
    const root = await parsed();
    expect(elements(root, "testsuite").map(({ attributes }) => attributes["name"])).toEqual(
      runs.map(({ run }) => run),
    );
    for (const { run } of runs)
      for (const { id } of RULES) expect(caseOf(root, run, id), `${run} ${id}`).toBeDefined();
  });

  test("counts what it has, in each suite and in all", async () => {
    const root = await parsed();
    for (const suite of [root, ...elements(root, "testsuite")]) {
      const { tests, failures, skipped } = suite.attributes;
      const counts = ["testcase", "failure", "skipped"].map((name) => String(elements(suite, name).length));
      expect([tests, failures, skipped]).toEqual(counts);
    }
  });

  test("a violation fails with count, first event, gpa, reason and defect", async () => {
    const [failure] = caseOf(await parsed(), "v5-as-posted/tdp", "alias-stuck")?.children ?? [];
    expect(failure).toMatchObject({
      name: "failure",
      attributes: { message: "16,425 times, first at event 41, gpa 0x800000001000", type: "violation" },
      text: "the guest makes no progress through this alias (known defect D1a)",
    });
  });

  test("what was not judged is skipped with the reason, and so is all of what was not run", async () => {
    const root = await parsed();
    const why = (run: string, id: string) => caseOf(root, run, id)?.children[0]?.attributes["message"];
    expect(why("v5-as-posted/tdp", "stale-translation")).toBe("it cannot fire in this VM; it needs tlb");
    expect(why("mirror/tdp", "alias-stuck")).toBe("n/a: a provider of range flushes is refused");
    expect(why("v5-as-posted/tdp", "permission-leak")).toBeUndefined();
  });

  test("an advisory fails only where it is asked for by name", async () => {
    const inside = async (failOn?: readonly string[]) =>
      caseOf(await parsed(failOn), "stolen-bits/tdp", "flush-wider-than-live")?.children.map(
        ({ name }) => name,
      );
    expect(await inside()).toEqual(["system-out"]);
    expect(await inside(["any"])).toEqual(["system-out"]);
    expect(await inside(["flush-wider-than-live"])).toEqual(["failure"]);
  });

  test("carries any path and any reason through, but for what XML cannot hold", async () => {
    await fc.assert(
      fc.asyncProperty(HOSTILE, async (text) => {
        const base = aReplay("none/tdp");
        const run = {
          ...base,
          input: { ...base.input, path: text },
          violations: [{ ...aViolation("alias-stuck", 1), reason: text, defect: "" }],
        };
        const root = parseXml(await renderReport("junit", [run], RULES));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
        const held = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\u{fffd}");
        const trace = elements(root, "property").find(({ attributes }) => attributes["name"] === "trace");
        expect(trace?.attributes["value"]).toBe(held);
        expect(elements(root, "failure")[0]?.text).toBe(held);
      }),
      { seed: runSeed(), numRuns: 300 },
    );
  });
});

describe("KTAP", () => {
  test("has plans that hold, numbers in order, and a verdict for each run", async () => {
    const lines = (await renderReport("ktap", runs, RULES)).trimEnd().split("\n");
    expect(lines.slice(0, 2)).toEqual(["KTAP version 1", "1..4"]);
    const outer = lines.filter((line) => /^(not )?ok /.test(line));
    expect(outer.map((line) => line.replace(/ #.*/, ""))).toEqual([
      "ok 1 none/tdp",
      "not ok 2 v5-as-posted/tdp",
      "ok 3 stolen-bits/tdp",
      "ok 4 mirror/tdp",
    ]);
    const inner = lines.filter((line) => /^ {2}(not )?ok /.test(line)).map((line) => /\d+/.exec(line)?.[0]);
    expect(inner).toEqual(runs.flatMap(() => ["1", "2", "3", "4"]));
  });

  test("no text makes a line of its own", async () => {
    const base = aReplay("none/tdp");
    const run = { ...base, input: { ...base.input, path: "a\nnot ok 9 b\u2028c\r\nd" } };
    const text = await renderReport("ktap", [run], RULES);
    expect(text).toContain("  # trace: a not ok 9 b c d\n");
    expect(text.split("\n").filter((line) => /^\s*(KTAP|1\.\.|#|(not )?ok |$)/.test(line))).toHaveLength(
      text.split("\n").length,
    );
  });
});
