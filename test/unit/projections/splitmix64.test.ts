import fc from "fast-check";
import { expect, test } from "vitest";
import { HIGH, hashFrame, LOW, newHalves, splitmix64 } from "../../../lib/projections/splitmix64.js";
import { splitmix64 as slow } from "../../oracle/projection/reference-projection.js";
import { runSeed } from "../../support/random.js";

const WORD = 2n ** 32n;
const MAX = 2n ** 64n - 1n;

function hashOf(x: bigint): bigint {
  const out = newHalves();
  splitmix64(Number(x % WORD), Number(x / WORD), out);
  return BigInt(out[HIGH] as number) * WORD + BigInt(out[LOW] as number);
}

test("the hashes of the numbers from 0 are the published sequence of seed 0", () => {
  // Each state of the generator is the one before plus its constant.
  const gamma = 0x9e3779b97f4a7c15n;
  const outputs = [0n, 1n, 2n].map((i) => hashOf((i * gamma) & MAX));
  expect(outputs).toEqual([0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn]);
});

test("carries and borders of the halves come out as with 64 bits", () => {
  const edges = [0n, 1n, WORD - 1n, WORD, WORD + 1n, 2n ** 31n, 2n ** 63n, MAX - 1n, MAX];
  const gammaEdges = [0x9e3779b97f4a7c15n, MAX - 0x9e3779b97f4a7c15n, 0x80b583ebn, 0x80b583ean];
  for (const x of [...edges, ...gammaEdges]) expect(hashOf(x)).toBe(slow(x));
});

test("any number hashes as with 64 bits", () => {
  const same = fc.property(fc.bigInt(0n, MAX), (x) => {
    expect(hashOf(x)).toBe(slow(x));
  });
  fc.assert(same, { seed: runSeed(), numRuns: 2000 });
});

test("a frame is hashed as seed XOR gfn, with all 40 bits of the gfn and 64 of the seed", () => {
  const out = newHalves();
  const same = fc.property(fc.bigInt(0n, MAX), fc.bigInt(0n, 2n ** 40n - 1n), (seed, gfn) => {
    hashFrame({ low: Number(seed % WORD), high: Number(seed / WORD), text: "" }, Number(gfn), out);
    expect(BigInt(out[HIGH] as number) * WORD + BigInt(out[LOW] as number)).toBe(slow(seed ^ gfn));
  });
  fc.assert(same, { seed: runSeed(), numRuns: 500 });
});
