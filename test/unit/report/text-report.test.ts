import { expect, test } from "vitest";
import { renderStrategies, renderText } from "../../../lib/index.js";
import { aReplay, aViolation } from "../../support/a-replay.js";

test("each rule that was broken is told with count, event, address, defect and reason", async () => {
  const text = await renderText(
    aReplay("v5-as-posted/tdp", { violations: [aViolation("alias-stuck", 1234)] }),
  );
  const sentence = "1,234 times, first at event 41, gpa 0x800000001000; known defect D1a: the guest makes";
  expect(text.replace(/\s+/g, " ")).toContain(`What went wrong alias-stuck ${sentence}`);
});

test("an advisory has a section of its own, with count, place and reason, and none where there is none", async () => {
  const dear = {
    ...aViolation("flush-wider-than-live", 9000),
    defect: "D8",
    reason: "nothing was mapped there",
  };
  const text = await renderText(aReplay("stolen-bits/tdp", { advisories: [dear] }));
  expect(text).toContain("no violation in 218,532 events");
  expect(text.replace(/\s+/g, " ")).toContain(
    "What could be cheaper flush-wider-than-live 9,000 times, first at event 41, gpa 0x800000001000; known defect D8: nothing was mapped there",
  );
  expect(await renderText(aReplay("precise/tdp"))).not.toContain("cheaper");
});

test("a run without violations is not called safe", async () => {
  const text = await renderText(aReplay("precise/tdp"));
  expect(text).toContain("no violation in 218,532 events");
  expect(text).not.toMatch(/\bsafe\b/);
});

test("flushes are told in all and by kind of event", async () => {
  const text = await renderText(aReplay("precise/tdp"));
  expect(text).toMatch(/range +16,384 of 1,234,567 pages/);
  expect(text).toMatch(/elided +31/);
  expect(text).toMatch(/by attributes +0 full, 16,381 range/);
});

test("leaves are told by alias, and pages that stayed mapped through the other one", async () => {
  const text = await renderText(aReplay("stolen-bits/tdp", { coexisting: 17, conversionsOnExit: 3 }));
  expect(text).toMatch(/alias 0x0 +4K +65,000 +253\.9 MiB/);
  expect(text).toMatch(/alias 0x800000000000 +4K +16,384/);
  expect(text).toMatch(/left mapped +17 pages through the other alias/);
  expect(text).toMatch(/on exit +3 pages after a memory fault/);
});

test("every setting that a VM does not have by itself is told", async () => {
  const result = aReplay("mirror/tdp");
  const changed = {
    internalSlots: true,
    guestPaging: "pae",
    externalTables: "busy:3",
    convertOnExit: true,
    flushProvider: "none",
    tlb: false,
    project: "home",
  } as const;
  const text = await renderText({ ...result, config: { ...result.config, ...changed } });
  for (const told of [
    "APIC access",
    "pae",
    "busy:3",
    "tried again",
    "none: every flush is a full one",
    "home: RAM",
  ]) {
    expect(text).toContain(told);
  }
});

test.each([60, 80])("at %d columns no line of a report or a list is wider", async (columns) => {
  const summary = "a sentence of several words that is longer than any of these lines can be, all in all";
  const defects = [{ id: "D1a", flavours: ["tdp", "rmap"] as const }];
  const strategy = {
    name: "x",
    summary,
    flavours: ["tdp"] as const,
    presets: ["attribute"] as const,
    defects,
  };
  const list = renderStrategies({ schemaVersion: 1, strategies: [strategy] }, { columns });
  const report = await renderText(aReplay("mirror/tdp", { violations: [aViolation("alias-stuck", 1)] }), {
    columns,
  });
  const wide = `${list}${report}`.split("\n").filter((line) => line.length > columns);
  expect(wide).toEqual([]);
  expect(list).toContain("D1a (tdp and rmap)");
});
