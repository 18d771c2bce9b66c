import { describe, expect, test } from "vitest";
import {
  alignDown,
  alignUp,
  bytesOfLevel,
  formatGpa,
  formatRange,
  levelOfPageSize,
  parseGpa,
  parseHva,
  parseSize,
} from "../../lib/address.js";
import { thrownBy } from "./thrown.js";

describe("parseGpa", () => {
  test.each([
    ["0x0", 0],
    ["0xFee00000", 0xfee00000],
    ["4096", 4096],
    ["4K", 4096],
    ["1.5G", 1.5 * 2 ** 30],
    ["2t", 2 ** 41],
    [" 0x1000 ", 4096],
    ["0xfffffffffffff", 2 ** 52 - 1],
    [12345, 12345],
  ])("reads %j as %d", (text, value) => {
    expect(parseGpa(text)).toBe(value);
  });

  test.each(["", "0x", "12Q", "0x10G", "-1", "1e3", "4 K", "0b1"])("refuses %j as a TypeError", (text) => {
    const error = thrownBy(() => parseGpa(text, "gpa"));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message).toBe(
      `gpa must be a hex or decimal number, with K, M, G or T if decimal, got ${JSON.stringify(text)}`,
    );
  });

  test.each(["0x10000000000000", 2 ** 52, -1, 0.5, Number.POSITIVE_INFINITY, "1.0001K"])(
    "refuses %j as a RangeError that names the limit",
    (value) => {
      const error = thrownBy(() => parseGpa(value));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.code).toBe("ERR_CONFIG");
      expect(error.message).toContain("an integer from 0 to 0xfffffffffffff");
    },
  );

  test("never rounds: the first hex number that a double cannot hold is refused, not changed", () => {
    expect(thrownBy(() => parseHva("0x20000000000001"))).toBeInstanceOf(RangeError);
    expect(parseHva("0x1fffffffffffff")).toBe(Number.MAX_SAFE_INTEGER);
  });
});

test("a size may be one larger than the last address", () => {
  expect(parseSize("0x10000000000000")).toBe(2 ** 52);
  expect(thrownBy(() => parseSize("0x10000000000001"))).toBeInstanceOf(RangeError);
});

test("what formatGpa writes, parseGpa reads, up to the last of 52 bits", () => {
  for (const gpa of [0, 1, 0xfee00000, 2 ** 47, 2 ** 51 + 4096, 2 ** 52 - 1]) {
    expect(formatGpa(gpa)).toMatch(/^0x[0-9a-f]+$/);
    expect(parseGpa(formatGpa(gpa))).toBe(gpa);
  }
});

test("a range is printed half-open", () => {
  expect(formatRange(0x1000, 0x2000)).toBe("[0x1000, 0x3000)");
});

test("alignment stays exact above 2^32, where integer masks would not", () => {
  expect(alignDown(2 ** 51 + 4097, 4096)).toBe(2 ** 51 + 4096);
  expect(alignUp(2 ** 51 + 4097, 4096)).toBe(2 ** 51 + 8192);
  expect(alignUp(8192, 4096)).toBe(8192);
});

test("page sizes and levels belong together", () => {
  expect((["4K", "2M", "1G"] as const).map(levelOfPageSize)).toEqual([1, 2, 3]);
  expect(([1, 2, 3] as const).map(bytesOfLevel)).toEqual([2 ** 12, 2 ** 21, 2 ** 30]);
  expect([undefined, "", "4k", 2].map(levelOfPageSize)).toEqual([undefined, undefined, undefined, undefined]);
});
