import { expect, test } from "vitest";
import { dirtyLogOf } from "../../lib/dirty-log.js";

test("bits become addresses, ascending, across word and half-word borders", () => {
  const bits = [0, 31, 32, 63, 64, 127];
  const words = new BigUint64Array(2);
  for (const bit of bits)
    words[Math.floor(bit / 64)] = (words[Math.floor(bit / 64)] as bigint) | (1n << BigInt(bit % 64));
  const log = dirtyLogOf(2 ** 47, words);
  expect(log.pages).toBe(bits.length);
  expect([...log.gpas()]).toEqual(bits.map((bit) => 2 ** 47 + bit * 4096));
  expect([...log.gpas()].length).toBe(bits.length);
});

test("an empty log has no pages", () => {
  expect(dirtyLogOf(0, new BigUint64Array(0)).pages).toBe(0);
  expect([...dirtyLogOf(0, new BigUint64Array(3)).gpas()]).toEqual([]);
});

test("a log that is a view into a larger buffer is read from its own start", () => {
  const all = new BigUint64Array([~0n, 1n]);
  expect([...dirtyLogOf(0x1000, all.subarray(1)).gpas()]).toEqual([0x1000]);
});
