/** Batch *n* of a seed: always the same. */
import { seeded } from "../../support/random.js";
import { bit } from "../reference-walker/bits.js";
import { indexOf, shapeOf, shiftOf } from "../reference-walker/modes.js";
import type { Pdptrs } from "../reference-walker/pdptrs.js";
import { type Batch, CASES, IMPLICIT_BIT, PAGE, TABLES } from "./batch.js";
import { Words } from "./edges.js";
import { COMBINATIONS, featuresFor, MODES, registersFor, SETTINGS, TOP } from "./settings.js";

/** A supervisor's and a user's reads, writes and fetches, and what the CPU itself reads and writes. */
const ACCESSES = [0, 2, 0x10, 4, 6, 0x14, IMPLICIT_BIT, IMPLICIT_BIT | 2];
const LEVELS = 6;
/** Batches of consecutive numbers shall have nothing in common. */
const STRIDE = 0x9e37_79b1;

type Random = ReturnType<typeof seeded>;

/** Index `i` at every level; offset, and now and then bits above the topmost index, at random. */
function addressOf(random: Random, mode: Batch["mode"], i: number): bigint {
  const shape = shapeOf(mode);
  let address = BigInt(random.below(PAGE));
  for (let level = 1; level <= shape.topLevel; ++level) address |= BigInt(i) << shiftOf(shape, level);
  if (mode === "pae") address |= BigInt(random.below(4)) << 30n;
  if (indexOf(shape, 1, address) !== BigInt(i)) throw new Error("an index does not fit");
  return random.once(8) ? address | (BigInt(random.below(128)) << 57n) : address;
}

/** Of each level above the leaf's a link; of those below whatever a wrong turn would find. */
function fill(random: Random, batch: Batch, words: Words, i: number): void {
  const shape = shapeOf(batch.mode);
  const largest = batch.mode === "32-bit" || batch.mode === "pae" ? 2 : 3;
  const leaf = random.once(2) ? 1 : 1 + random.below(largest);
  for (let level = 1; level <= shape.topLevel; ++level) {
    const entry = level > leaf ? words.link(level) : words.leaf(level, Number(shiftOf(shape, level)));
    batch.entries[level * CASES + i] = entry;
  }
}

/** One in eight is absent: a root entry is judged when it is loaded, so that no other fault is to be had. */
const pdptrsFor = (random: Random): Pdptrs =>
  [0, 1, 2, 3].map(
    () => BigInt(TABLES + 2 * PAGE) | (random.once(8) ? 0n : 1n) | bit(3),
  ) as unknown as Pdptrs;

export function batchOf(seed: number, number: number): Batch {
  const random = seeded(seed ^ Math.imul(number + 1, STRIDE));
  const mode = MODES[number % MODES.length] as Batch["mode"];
  const round = Math.floor(number / MODES.length);
  const features = featuresFor(random, mode);
  const settings = [...Array(SETTINGS).keys()].map((n) =>
    registersFor(random, mode, (round * SETTINGS + n) % COMBINATIONS),
  );
  const entries = new BigUint64Array(LEVELS * CASES);
  const [addresses, accesses] = [new BigUint64Array(CASES), new Uint8Array(CASES)];
  const batch = { number, mode, features, settings, pdptrs: pdptrsFor(random), entries, addresses, accesses };
  const words = new Words(random, mode, features);
  for (let i = 0; i < CASES; ++i) {
    fill(random, batch, words, i);
    addresses[i] = addressOf(random, mode, i);
    accesses[i] = random.pick(ACCESSES);
  }
  return batch;
}

export { TOP };
