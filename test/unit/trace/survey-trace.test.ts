import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { openTrace, scanForDirtyRounds, surveyTrace } from "../../../lib/index.js";
import { TouchedPages } from "../../../lib/trace/survey-trace.js";
import { rejectionOf } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, MARKER, recordBytes, someRecords } from "./records.js";

const LINE =
  "  CPU 0/KVM-7 [000] ..... 1.000001: kvm_page_fault: vcpu 0 rip 0x1 address 0x2000 error_code 0x182\n";

describe("TouchedPages", () => {
  test("joins neighbours across 2 MiB borders and above 2^32", () => {
    const touched = new TouchedPages();
    const start = 2 ** 51 - 8192;
    for (const page of [3, 0, 2, 1, 2]) touched.add(start + page * 4096 + 17);
    touched.add(0);
    expect([...touched.ranges()]).toEqual([
      { gpa: 0, bytes: 4096, pages: 1 },
      { gpa: start, bytes: 4 * 4096, pages: 4 },
    ]);
  });

  test("a gap joins what lies closer than it, and counts only touched pages", () => {
    const touched = new TouchedPages();
    for (const gpa of [0, 0x3000, 0x10000]) touched.add(gpa);
    expect([...touched.ranges(0x3000)]).toEqual([
      { gpa: 0, bytes: 0x4000, pages: 2 },
      { gpa: 0x10000, bytes: 0x1000, pages: 1 },
    ]);
    expect([...touched.ranges(0x2000)].length).toBe(3);
  });

  test("nothing touched is no range", () => {
    expect([...new TouchedPages().ranges()]).toEqual([]);
  });
});

describe.skipIf(!hasAddon)("one pass", () => {
  const file = aFolder();

  test("counts kinds, vCPUs, times and pages", async () => {
    const records = [
      ...someRecords(600),
      { ns: 7_000_000, flags: MARKER + 2 },
      { ns: 8_000_000, flags: MARKER + 3 },
    ];
    const survey = await surveyTrace(await openTrace(file("s.bin", recordBytes(records))));
    const { touched, ...rest } = survey;
    expect(rest).toEqual({
      events: 602,
      accesses: 600,
      byKind: { access: 600, "dirty-log-get": 1, end: 1 },
      vcpus: 2,
      highestGpa: 599 * 4096 + 8,
      firstTime: 1e-6,
      lastTime: 8e-3,
    });
    expect([...touched.ranges()]).toEqual([{ gpa: 0, bytes: 600 * 4096, pages: 600 }]);
  });

  test("a stream is refused: it could not be replayed afterwards", async () => {
    const stream = await openTrace(Readable.from([recordBytes(someRecords(3))]));
    expect((await rejectionOf(surveyTrace(stream))).code).toBe("ERR_BUSY");
    expect((await rejectionOf(scanForDirtyRounds(stream))).message).toContain("can be read only once");
  });

  test("the scan for rounds stops at the first one", async () => {
    const records = [...someRecords(65_536), { flags: MARKER + 2 }, ...someRecords(200_000)];
    const trace = await openTrace(file("rounds.bin", recordBytes(records)));
    expect(await scanForDirtyRounds(trace)).toBe(true);
    expect(trace.totals.records).toBe(2 * 65_536);
  });

  test("rows of an earlier batch are not mistaken for a round", async () => {
    const rounds = Array.from({ length: 10 }, () => ({ flags: MARKER + 1 }));
    const trace = await openTrace(file("none.bin", recordBytes([...rounds, ...someRecords(10)])));
    expect(await scanForDirtyRounds(trace)).toBe(false);
  });

  test("a format that holds only accesses is not read", async () => {
    const trace = await openTrace(file("text.txt", LINE));
    expect(await scanForDirtyRounds(trace)).toBe(false);
    expect(trace.totals.records).toBe(0);
  });
});
