// gpalias explain, as a user runs it: one rule, one defect, all, and what is neither.
import { describe, expect, test } from "vitest";
import type { Explanation } from "../../lib/index.js";
import { gpalias, gpaliasJson } from "./run-cli.js";

const flat = (text: string) => text.replace(/\s+/g, " ");

describe("explain", () => {
  test("of a rule has kind, sentence, reason, source, who breaks it and what it cannot be seen without", async () => {
    const { status, stdout, stderr } = await gpalias(["explain", "stale-translation"]);
    expect([status, stderr]).toEqual([0, ""]);
    const text = flat(stdout);
    expect(text).toMatch(/^stale-translation \(violation\) fires when a vCPU uses a TLB entry/);
    expect(text).toContain("why By then the page behind the entry");
    expect(text).toContain("source KVM: kvm_flush_remote_tlbs_range()");
    expect(text).toContain(
      "B14: stolen-bits (tdp and rmap), stolen-bits-tdx (rmap); D2: v5-as-posted (rmap)",
    );
    expect(text).toContain("gpalias compare <trace> --alias <preset> --tlb --fail-on stale-translation");
  });

  test("of a defect has who has it, and each rule that sees it", async () => {
    const text = flat((await gpalias(["explain", "D1a"])).stdout);
    expect(text).toMatch(/^D1a \(known defect\) who has it v5-as-posted \(tdp\), v5-as-reviewed \(tdp\) /);
    expect(text).toContain("seen by alias-stuck, permission-leak");
    expect(text).toContain("alias-stuck fires when an access through an alias faults again");
    expect(text).not.toContain("stale-translation");
  });

  test("of nothing lists every rule with its sentence, and every defect", async () => {
    const { stdout } = await gpalias(["explain"]);
    const found: Explanation = await gpaliasJson(["explain"]);
    expect(found.rules.length).toBeGreaterThan(8);
    for (const { id, sentence } of found.rules) expect(flat(stdout)).toContain(`${id} ${sentence}`);
    for (const id of ["B14", "D1a", "D1b", "D2", "D4", "D5", "K1"]) {
      expect(found.defects.map((defect) => defect.id)).toContain(id);
      expect(stdout).toMatch(new RegExp(`^  ${id} `, "m"));
    }
  });

  test.each([
    ["alias-stuk", "(did you mean alias-stuck?)"],
    ["d1a", "(did you mean D1a?)"],
    ["nonsense", "(gpalias explain lists them)"],
  ])("%s is neither, and exits 2 with %s", async (id, hint) => {
    const { status, stdout, stderr } = await gpalias(["explain", id]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`gpalias: id must be that of a rule or a defect ${hint}, got "${id}"\n`);
  });

  test.each(["40", "60", "100"])("at %s columns no line is wider", async (columns) => {
    for (const args of [["explain"], ["explain", "permission-leak"], ["explain", "K1"]]) {
      const { stdout } = await gpalias(args, { env: { COLUMNS: columns } });
      expect(stdout.split("\n").filter((line) => line.length > Number(columns))).toEqual([]);
    }
  });

  test("as JSON names what was asked about and what goes with it, and nothing else", async () => {
    const found: Explanation = await gpaliasJson(["explain", "alias-left-mapped"]);
    expect(found.asked).toBe("alias-left-mapped");
    expect(found.rules.map(({ id }) => id)).toEqual(["alias-left-mapped"]);
    expect(found.defects).toEqual([
      {
        id: "K1",
        rules: ["alias-left-mapped", "private-shared-coexist", "rmap-mismatch"],
        strategies: [{ name: "stolen-bits-tdx", flavours: ["rmap"] }],
      },
    ]);
  });
});
