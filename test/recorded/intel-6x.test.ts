// A recording of a small VM on an Intel host, held to itself and to the model.
//
// The recording is not ours and not here: it is looked for beside the checkout,
// or where GPALIAS_EXCERPTS says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type TraceVerification, verifyTrace } from "../../lib/index.js";
import { loadAddon } from "../../lib/native/addon.js";
import { entryFormat } from "../../lib/observe/entry.js";
import { storyOf } from "../../lib/observe/model/story.js";
import { linesOfText } from "../../lib/observe/text-lines.js";
import { isLongRun } from "../support/random.js";
import { hasAddon } from "../unit/with-addon.js";
import { type Mutation, mutationsOf } from "./mutations.js";

const BESIDE = fileURLToPath(new URL("../../../shared/traces/excerpts/", import.meta.url));
const PATH = join(process.env["GPALIAS_EXCERPTS"] ?? BESIDE, "01-tracefs-trace-kvm-kvmmmu-intel-6x.txt");
const isHere = existsSync(PATH);
if (!isHere) console.warn(`SKIPPED: the side-by-side test of a recorded VM: there is no ${PATH}`);

const text = isHere ? readFileSync(PATH, "utf8") : "";

const isCaught = ({ findings }: TraceVerification): boolean =>
  findings.some(({ severity }) => severity !== "note");

describe.skipIf(!isHere || !hasAddon)("the recorded VM", () => {
  test("is understood: faults, unmaps, a slot that goes, two logs", () => {
    const steps = storyOf(entryFormat("ept", "6.1"), linesOfText(loadAddon(), text));
    expect(steps.map(({ deed }) => deed.what).join(", ")).toBe(
      "unmap, fault, fault, unmap, fault, slot goes, fault, fault, log, fault, unmap, fault, log",
    );
  });

  test("is a VM whose every change the model makes too, in the same order", async () => {
    const { findings, model } = await verifyTrace({ text });
    expect(findings).toEqual([]);
    expect(model).toMatchObject({ difference: null, stopped: null, steps: 13 });
    expect(model?.agreed).toBeGreaterThan(55);
  });

  test("tells what its host was like", async () => {
    const { model, entries } = await verifyTrace({ text });
    expect(entries).toMatchObject({ value: "ept of 6.1", confidence: "high" });
    const values = Object.entries(model?.host ?? {}).map(([name, { value }]) => [name, value]);
    expect(Object.fromEntries(values)).toEqual({
      vendor: "intel",
      release: "6.1",
      pml: true,
      adBits: true,
      nxHugePages: true,
      l1tf: true,
      maxphyaddr: 46,
      rootLevel: 4,
    });
    expect(Object.values(model?.host ?? {}).map(({ confidence }) => confidence)).not.toContain("none");
  });

  test("differs from the model of another host, and where is said", async () => {
    const { findings, model } = await verifyTrace({ text }, { host: { pml: false } });
    expect(model?.host.pml).toMatchObject({ value: false, confidence: "given" });
    expect(findings.map(({ check, line }) => [check, line])).toEqual([["model", 87]]);
    expect(findings[0]?.why).toContain("lacks D");
  });

  test("was cut in four places, and what we print there is counted", async () => {
    const { model } = await verifyTrace({ text });
    expect(model?.setAside).toEqual([
      "502 lines: omitted gfn 9..1fe level 1",
      "508 lines: omitted gfn 600..3fc00 level 2",
      "509 lines: omitted gfn 80000..7f80000 level 3",
      "508 lines: lines were left out",
    ]);
  });
});

// What nothing in the recording contradicts: the first line about the tables, without which it begins in the middle; a
// line beside the hole at the end; and where two tables lie that no later line names again.
const UNSEEN = ["18 removed", "114 removed", "73 address", "109 address"];

describe.skipIf(!isHere || !hasAddon)("a copy of the recording with one thing wrong", () => {
  const all = mutationsOf(text);
  const isUnseen = ({ line, kind }: Mutation): boolean => UNSEEN.includes(`${line} ${kind}`);

  // Every seventh of 2,288: the kinds and lines come round, since seven divides none of their counts.
  const STRIDE = isLongRun ? 1 : 7;

  test("is caught", { timeout: 10 * 60_000 }, async () => {
    expect(all.length).toBeGreaterThan(2000);
    const missed: string[] = [];
    for (const mutation of all.filter((_, at) => at % STRIDE === 0)) {
      const result = await verifyTrace({ text: mutation.text() });
      if (!isCaught(result) && !isUnseen(mutation)) {
        missed.push(`line ${mutation.line} ${mutation.kind}: ${mutation.what}`);
      }
    }
    expect(missed).toEqual([]);
  });

  test("is caught at every line that is gone or there twice", { timeout: 10 * 60_000 }, async () => {
    const some = all.filter(({ kind }) => kind === "removed" || kind === "duplicated");
    const results = await Promise.all(some.map((each) => verifyTrace({ text: each.text() })));
    const missed = some.filter((_each, at) => !isCaught(results[at] as TraceVerification));
    expect(missed.map(({ line, kind }) => `${line} ${kind}`)).toEqual(["18 removed", "114 removed"]);
    expect(some).toHaveLength(92);
  });

  test("is caught by the recording alone in most cases", async () => {
    const some = all.filter(({ kind }, at) => kind === "altered" && at % 5 === 0);
    const results = await Promise.all(
      some.map((each) => verifyTrace({ text: each.text() }, { model: false })),
    );
    expect(results.filter(isCaught).length / some.length).toBeGreaterThan(0.85);
  });
});
