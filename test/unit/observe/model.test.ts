// A recording beside the model, and what is said where they part.
import { describe, expect, test } from "vitest";
import { verifyTrace } from "../../../lib/index.js";
import { hasAddon } from "../with-addon.js";
import { asked, changed, entered, FIRST, fault, trace } from "./lines.js";

const modelOf = async (lines: readonly string[]) => (await verifyTrace({ text: trace(...lines) })).model;

describe.skipIf(!hasAddon)("the model beside a recording", () => {
  test("agrees with a fault that it answers alike", async () => {
    expect(await modelOf(FIRST)).toMatchObject({ difference: null, stopped: null, steps: 1, agreed: 7 });
  });

  test("finds a bit by its name", async () => {
    const clean = FIRST.map((line) => line.replaceAll("77b77", "77977"));
    expect((await modelOf(clean))?.difference).toMatchObject({
      line: 6,
      deed: "fault at gfn 3",
      why: expect.stringMatching(
        /^new_spte lacks D and the model's has it: make_spte\(\) sets D together with W/,
      ),
    });
  });

  test("finds a line too few, a line too many, and another order", async () => {
    const another = [fault(0x4000), asked("4", "78"), changed("4", 1, "0", "600000000078b77")];
    const last = await modelOf([...FIRST, ...another, entered]);
    expect(last?.difference).toMatchObject({
      recorded: null,
      why: expect.stringContaining("a line is missing"),
    });
    const twice = await modelOf([...FIRST.slice(0, 7), FIRST[6] as string]);
    expect(twice?.difference).toMatchObject({ line: 8, model: null });
    const [first, second, a, b, ...rest] = FIRST as [string, string, string, string, ...string[]];
    const swapped = await modelOf([first, second, b, a, ...rest]);
    expect(swapped?.stopped?.why ?? swapped?.difference?.why).toBeDefined();
  });

  test("says that it cannot begin in the middle", async () => {
    const model = await modelOf([fault(0x3000), changed("3", 1, "0", "600000000077b77")]);
    expect(model).toMatchObject({
      steps: 0,
      stopped: { line: 2, why: expect.stringContaining("begins in the middle") },
    });
  });

  test("says so where no cause is found, and compares what came before", async () => {
    const odd = changed("3", 1, "600000000077b77", "600000000077a77");
    expect(await modelOf([...FIRST, odd])).toMatchObject({
      steps: 1,
      difference: null,
      stopped: { line: 9, why: expect.stringContaining("no cause was found") },
    });
  });

  test("stops where events were lost", async () => {
    const model = await modelOf([
      ...FIRST,
      "[LOST 3 EVENTS]",
      fault(0x4000),
      changed("4", 1, "0", "600000000078b77"),
    ]);
    expect(model).toMatchObject({ steps: 1, stopped: { line: 9 } });
  });

  test("takes what is said of the host over what it guesses", async () => {
    const { model } = await verifyTrace({ text: trace(...FIRST) }, { host: { adBits: false } });
    expect(model?.host.adBits).toMatchObject({ value: false, confidence: "given" });
    expect(model?.difference?.why).toContain("A/D-type");
  });

  test("stops with the reason where no VM can do what the lines say", async () => {
    const far = await modelOf([...FIRST, fault(2 ** 51), asked("8000000000000", "78")]);
    expect(far?.stopped?.why).toContain("the model refuses to do it");
    const crowd = FIRST.map((line) => line.replace("vcpu 0 rip", "vcpu 4294967295 rip"));
    expect((await modelOf(crowd))?.stopped?.why).toContain("vcpus");
  });

  test("reads damaged lines to the end, whatever they say", async () => {
    for (const level of [0, 6, 4_294_967_295]) {
      const damaged = FIRST.map((line) => line.replace(/level 2/, `level ${level}`));
      const { findings } = await verifyTrace({ text: trace(...damaged) });
      expect(findings.map(({ why }) => why).join()).toContain("no tables of level");
      const split = changed("200", level, "600000000200bf3", "1009907");
      expect((await verifyTrace({ text: trace(...FIRST, split) })).findings).not.toEqual([]);
    }
    const wide = FIRST.map((line) => line.replace("gfn 3 ", "gfn ffffffffffffffff "));
    expect((await verifyTrace({ text: trace(...wide) })).findings).not.toEqual([]);
  });

  test("holds nothing against a recording that ends in the middle of a fault", async () => {
    const model = await modelOf([...FIRST, fault(0x4000), asked("4", "78")]);
    expect(model).toMatchObject({
      difference: null,
      stopped: { line: 10, why: expect.stringContaining("ends in the") },
    });
  });
});
