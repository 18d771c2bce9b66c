import { describe, expect, test } from "vitest";
import { expectInteger, expectKeys, expectOneOf, nearest, show } from "../../lib/expect.js";
import { thrownBy } from "./thrown.js";

describe("expectInteger", () => {
  test("returns what is in range, both ends included", () => {
    expect([1, 5].map((value) => expectInteger("n", value, 1, 5))).toEqual([1, 5]);
  });

  test.each([[0], [6], [2.5], [Number.NaN]])(
    "%d is a RangeError that names option, range and value",
    (value) => {
      const error = thrownBy(() => expectInteger("vcpus", value, 1, 5));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe(`vcpus must be an integer from 1 to 5, got ${value}`);
    },
  );

  test.each([["4"], [4n], [null], [undefined], [[4]]])("%o is a TypeError", (value) => {
    expect(thrownBy(() => expectInteger("vcpus", value, 1, 5))).toBeInstanceOf(TypeError);
  });
});

describe("expectKeys", () => {
  const keys = ["addressBits", "rootLevel"];

  test("a misspelt key is refused with the one that was meant", () => {
    const error = thrownBy(() => expectKeys("config", { adressBits: 1 }, keys));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message).toBe('config has no key "adressBits"; did you mean addressBits?');
  });

  test("a key that resembles none is refused with the list", () => {
    const error = thrownBy(() => expectKeys("config", { tlb: 1 }, keys));
    expect(error.message).toBe('config has no key "tlb"; the keys are addressBits, rootLevel');
  });

  test.each([[null], [[]], ["x"], [1]])("%o is no object", (value) => {
    expect(thrownBy(() => expectKeys("config", value, keys)).message).toContain("config must be an object");
  });
});

test("expectOneOf lists what exists and suggests the nearest", () => {
  const names = ["auto", "on", "off"];
  expect(expectOneOf("dirtyLog", "on", names)).toBe("on");
  const error = thrownBy(() => expectOneOf("dirtyLog", "aut", names));
  expect(error).toBeInstanceOf(RangeError);
  expect(error.message).toBe('dirtyLog must be one of "auto", "on", "off" (did you mean auto?), got "aut"');
});

test("nearest ignores case and gives up where nothing is near", () => {
  expect(nearest("ROOTLEVEL", ["rootLevel", "vcpus"])).toBe("rootLevel");
  expect(nearest("x", ["rootLevel", "vcpus"])).toBeUndefined();
});

test("show writes values as a reader would type them, and cuts long ones", () => {
  expect(["a", 1n, undefined, null, { a: 1 }].map(show)).toEqual([
    '"a"',
    "1n",
    "undefined",
    "null",
    '{"a":1}',
  ]);
  expect(show(Array.from({ length: 100 }, () => 1)).length).toBe(60);
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  expect(show(cycle)).toBe("[object Object]");
});

test("two letters that changed places are one mistake, so that short names are suggested too", () => {
  expect(nearest("vpcu", ["vcpu"])).toBe("vcpu");
  expect(nearest("upvc", ["vcpu"])).toBeUndefined();
});
