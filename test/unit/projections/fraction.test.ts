import { expect, test } from "vitest";
import fraction from "../../../lib/projections/kinds/fraction.js";
import { isBelow, splitmix64 } from "../../oracle/projection/reference-projection.js";
import { TDX } from "./contexts.js";

const MASK = 2n ** 64n - 1n;

const isChosen = (p: number, seed: bigint, gfn = 0): boolean =>
  fraction.open(`fraction:${p},${seed}`, TDX).next(gfn * 4096, gfn, 1) === 1;

/** The inverse of z ^ z >> bits. */
const unshifted = (z: bigint, bits: bigint): bigint => {
  let x = z;
  for (let known = bits; known < 64n; known += bits) x = z ^ (x >> bits);
  return x;
};

/** The inverse of an odd number modulo 2^64, by Newton's iteration. */
const inverse = (odd: bigint): bigint => {
  let x = odd;
  for (let i = 0; i < 6; i++) x = (x * (2n - odd * x)) & MASK;
  return x & MASK;
};

/** The seed with which frame 0 has this hash. */
function seedFor(hash: bigint): bigint {
  let z = (unshifted(hash, 31n) * inverse(0x94d049bb133111ebn)) & MASK;
  z = (unshifted(z, 27n) * inverse(0xbf58476d1ce4e5b9n)) & MASK;
  return (unshifted(z, 30n) - 0x9e3779b97f4a7c15n) & MASK;
}

test("seedFor() finds the seed of a hash", () => {
  for (const hash of [0n, 1n, 2n ** 63n, MASK]) expect(splitmix64(seedFor(hash))).toBe(hash);
});

test("p = 0 chooses no page, not even one whose hash is 0", () => {
  expect([isChosen(0, seedFor(0n)), isChosen(0, 1n)]).toEqual([false, false]);
});

test("p = 1 chooses every page, also the one whose hash is 2^64 - 1", () => {
  expect(isChosen(1, seedFor(MASK))).toBe(true);
});

test("p = 0.5 chooses the hash 2^63 - 1 and not 2^63", () => {
  expect([isChosen(0.5, seedFor(2n ** 63n - 1n)), isChosen(0.5, seedFor(2n ** 63n))]).toEqual([true, false]);
});

const hashes = [0n, 1n, 2n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, MASK - 2048n, MASK];
const shares = [
  ...[
    5e-324,
    2 ** -64,
    1.5 * 2 ** -64,
    2 ** -63,
    2 ** -32,
    2 ** -32 + 2 ** -64,
    2 ** -11,
    2 ** -11 + 2 ** -63,
  ],
  ...[0.1, 1 - 2 ** -53],
];

test.each(shares)("p = %s is compared exactly", (p) => {
  for (const hash of hashes) expect([hash, isChosen(p, seedFor(hash))]).toEqual([hash, isBelow(hash, p)]);
});

test("a share just at or above a page's own hash decides by its last bit", () => {
  for (let gfn = 0; gfn < 200; gfn++) {
    const hash = splitmix64(BigInt(gfn) ^ 77n);
    const at = Number(hash) / 2 ** 64;
    for (const p of [at, at * (1 + Number.EPSILON), at * (1 - Number.EPSILON)].filter((each) => each <= 1)) {
      expect(isChosen(p, 77n, gfn)).toBe(isBelow(hash, p));
    }
  }
});
