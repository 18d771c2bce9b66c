import { describe, expect, test } from "vitest";
import { inferMemslots } from "../../../lib/trace/infer-memslots.js";
import { type Survey, TouchedPages } from "../../../lib/trace/survey-trace.js";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** A survey in which these ranges are touched, every `step` bytes. */
function touching(...ranges: readonly (readonly [start: number, end: number, step?: number])[]): Survey {
  const touched = new TouchedPages();
  for (const [start, end, step = MiB] of ranges) {
    for (let gpa = start; gpa < end; gpa += step) touched.add(gpa);
    touched.add(end - 1);
  }
  const counts = { events: 1, accesses: 1, byKind: {}, vcpus: 1, highestGpa: 0, firstTime: 0, lastTime: 0 };
  return { ...counts, touched };
}

function slotsOf(survey: Survey): [number, number, boolean][] {
  return inferMemslots(survey).memslots.map(({ gpa, bytes, readonly }) => [gpa, gpa + bytes, readonly]);
}

const lowRam = [0x1000, 0x9f000] as const;

describe("a PC", () => {
  test("q35 with 1 GiB: RAM around the VGA hole, firmware, and no slot for devices", () => {
    const survey = touching(
      lowRam,
      [0xa0000, 0xa1000],
      [0xc0000, 0x100000],
      [MiB, GiB],
      [0xb000_0000, 0xb000_1000],
      [0xfee0_0000, 0xfee0_1000],
      [0xfffe_0000, 4 * GiB],
    );
    expect(slotsOf(survey)).toEqual([
      [0, 0xa0000, false],
      [0xc0000, MiB, false],
      [MiB, GiB, false],
      [0xfffc_0000, 4 * GiB, true],
    ]);
  });

  test("pc with 3 GiB below and more above 4 GiB: q35's window is RAM here", () => {
    const survey = touching(lowRam, [MiB, 0xbfe3_0000], [0xfec0_0000, 0xfec0_1000], [4 * GiB, 5 * GiB]);
    expect(slotsOf(survey)).toEqual([
      [0, 0xa0000, false],
      [MiB, 0xc000_0000, false],
      [4 * GiB, 5 * GiB, false],
    ]);
  });

  test("a run of pages in q35's window is RAM, and what a scan of PCI devices touches is not", () => {
    const scan = touching([MiB, GiB], [0xb000_0000, 0xb010_0000, 32 * 1024]);
    expect(slotsOf(scan)).toEqual([[MiB, GiB, false]]);
    const run = touching([MiB, GiB], [0xbbe3_0000, 0xbfe3_0000, 4096]);
    expect(slotsOf(run)).toEqual([[MiB, 0xc000_0000, false]]);
  });

  test("a device window far above RAM gets no slot, however it is used", () => {
    const survey = touching([MiB, GiB], [4 * GiB, 5 * GiB], [2 ** 45, 2 ** 45 + 8 * 4096, 4096]);
    expect(slotsOf(survey).map(([gpa]) => gpa)).toEqual([MiB, 4 * GiB]);
  });

  test("many pages far up are RAM, as in a test guest with memory at the top", () => {
    const survey = touching([MiB, 4 * MiB], [2 ** 45, 2 ** 45 + 512 * 4096, 4096]);
    expect(slotsOf(survey)).toEqual([
      [MiB, 4 * MiB, false],
      [2 ** 45, 2 ** 45 + 2 * MiB, false],
    ]);
  });
});

test("every slot is a guess with a reason and a confidence", () => {
  const { memslots, guesses } = inferMemslots(touching(lowRam, [MiB, GiB], [0xffff_f000, 4 * GiB]));
  expect(guesses.map(({ what, value }) => [what, value])).toEqual([
    ["memslot 0", "[0x0, 0xa0000)"],
    ["memslot 1", "[0x100000, 0x40000000)"],
    ["memslot 2", "[0xfffc0000, 0x100000000) read-only"],
  ]);
  expect(memslots.map(({ id }) => id)).toEqual([0, 1, 2]);
  for (const { confidence, why } of guesses) {
    expect(confidence).toBeGreaterThan(0);
    expect(confidence).toBeLessThan(1);
    expect(why.length).toBeGreaterThan(10);
  }
});

test("slots never overlap, and lie on page borders, whatever is touched", () => {
  const edges = [0, 0x9ffff, 0xa0000, 0xbffff, 0xc0000, 0xfffff, MiB, 0xafff_ffff, 0xb000_0000, 0xbfff_ffff];
  edges.push(0xc000_0000, 0xffbf_ffff, 0xffc0_0000, 4 * GiB - 1, 4 * GiB, 20 * GiB, 2 ** 52 - 1);
  for (let mask = 0; mask < 2 ** edges.length; mask += 101) {
    const chosen = edges.filter((_, i) => Math.floor(mask / 2 ** i) % 2 === 1);
    const slots = slotsOf(touching(...chosen.map((gpa) => [gpa, gpa + 1] as const)));
    for (const [index, [gpa, end]] of slots.entries()) {
      expect(end).toBeGreaterThan(gpa);
      expect([gpa % 4096, end % 4096]).toEqual([0, 0]);
      expect(gpa).toBeGreaterThanOrEqual(slots[index - 1]?.[1] ?? 0);
    }
  }
});
