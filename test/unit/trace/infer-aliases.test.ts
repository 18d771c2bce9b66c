import { describe, expect, test } from "vitest";
import { inferAliases } from "../../../lib/trace/infer-aliases.js";
import { TouchedPages } from "../../../lib/trace/survey-trace.js";

const [MiB, GiB] = [2 ** 20, 2 ** 30];

/** Pages from each start on, 4 KiB apart. */
function touching(...ranges: readonly (readonly [start: number, pages: number])[]): TouchedPages {
  const touched = new TouchedPages();
  for (const [start, pages] of ranges) {
    for (let page = 0; page < pages; page++) touched.add(start + page * 4096);
  }
  return touched;
}

describe("alias bits", () => {
  test.each([47, 51])("bit %i that doubles low memory is one, overridable, and never certain", (bit) => {
    const [guess, ...more] = inferAliases(touching([0, 5000], [2 ** bit + 8 * MiB, 1000]));
    expect([guess?.what, guess?.value, more]).toEqual(["alias bits", String(bit), []]);
    expect(guess?.confidence).toBeGreaterThan(0.8);
    expect(guess?.confidence).toBeLessThan(1);
    expect(guess?.why).toMatch(/1000 pages .* 100 % .* --alias/);
  });

  test("two bits that also stand alone are two", () => {
    const touched = touching([0, 2000], [2 ** 46, 500], [2 ** 47, 500], [2 ** 46 + 2 ** 47, 500]);
    expect(inferAliases(touched).map(({ value }) => value)).toEqual(["46,47"]);
  });

  test("aliased memory that is mostly not touched plainly is less certain", () => {
    const sure = inferAliases(touching([0, 2048], [2 ** 47, 2048]))[0]?.confidence ?? 0;
    const less = inferAliases(touching([0, 1024], [2 ** 47, 2048]))[0]?.confidence ?? 1;
    expect(less).toBeLessThan(sure);
  });

  test.each([
    ["nothing high", touching([0, 5000])],
    ["nothing low", touching([2 ** 47, 5000])],
    ["a device window of several bits", touching([0, 5000], [0x3800_0000_0000, 500])],
    ["a few registers", touching([0, 5000], [2 ** 47, 8])],
    ["other memory far up", touching([0, 5000], [2 ** 47 + 64 * GiB, 5000])],
    ["memory that reaches near the bit", touching([0, 5000], [2 ** 39 + 2 ** 38, 500], [2 ** 40, 500])],
    ["no memory at all", touching()],
  ])("%s shows none", (_, touched) => {
    expect(inferAliases(touched)).toEqual([]);
  });
});
