/**
 * Every page moves on to its next alias after so many accesses.
 *
 * Access i of a page, from 0, goes through alias floor((i + h) / n) modulo the
 * number of aliases, with h = hash modulo n, so that pages do not all move at
 * once. What is kept of i is where it stands in that cycle: the alias, and how
 * many accesses are left for it. So no count overflows, and a page is hashed
 * once.
 */
import { parseSize } from "../../address.js";
import { expectInteger } from "../../expect.js";
import { partsOf, type Seed, seedIn } from "../arguments.js";
import { PageWords } from "../page-words.js";
import { type AliasChoice, defineProjection } from "../projection.js";
import { HIGH, hashFrame, LOW, newHalves } from "../splitmix64.js";

const SYNTAX = "churn:<n>,<seed>";
/** Of a page's word, bits 27:0 are the accesses left and bits 31:28 the alias. */
const LEFT_BITS = 28;
const LEFT = 2 ** LEFT_BITS - 1;
const HALF_WORD = 2 ** 16;

export default defineProjection({
  name: "churn",
  syntax: SYNTAX,
  summary: "every page of RAM to its next alias after n accesses",
  ramOnly: true,
  open: (text, { aliases }) => {
    const [count, digits] = partsOf(text, SYNTAX, /^churn:([^,]+),([^,]+)$/);
    const n = expectInteger("project: n", parseSize(count as string, "project: n"), 1, LEFT);
    return new Churn(n, seedIn(digits as string), aliases.length);
  },
});

class Churn implements AliasChoice {
  readonly text: string;
  readonly #n: number;
  readonly #seed: Seed;
  readonly #aliases: number;
  readonly #pages = new PageWords();
  readonly #hash = newHalves();

  constructor(n: number, seed: Seed, aliases: number) {
    this.text = `churn:${n},${seed.text}`;
    this.#n = n;
    this.#seed = seed;
    this.#aliases = aliases;
  }

  next(_gpa: number, gfn: number): number {
    const word = this.#pages.at(gfn);
    const alias = word >>> LEFT_BITS;
    // A page that was accessed always has at least one access left.
    const left = word === 0 ? this.#n - this.#phase(gfn) : word & LEFT;
    const following = left > 1 ? alias : (alias + 1) % this.#aliases;
    this.#pages.put(following * 2 ** LEFT_BITS + (left > 1 ? left - 1 : this.#n));
    return alias;
  }

  /** The hash modulo n, in two steps: 48 bits are all that a remainder takes exactly. */
  #phase(gfn: number): number {
    hashFrame(this.#seed, gfn, this.#hash);
    const low = this.#hash[LOW] as number;
    const upper = ((this.#hash[HIGH] as number) % this.#n) * HALF_WORD + Math.floor(low / HALF_WORD);
    return ((upper % this.#n) * HALF_WORD + (low % HALF_WORD)) % this.#n;
  }
}
