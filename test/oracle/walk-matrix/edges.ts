/** Entry words with a bias to the bits where rules begin and end. */
import type { Random } from "../../support/random.js";
import { bit, bits } from "../reference-walker/bits.js";
import type { Features } from "../reference-walker/features.js";
import type { Shape } from "../reference-walker/modes.js";
import { PAGE, TABLE_PAGES, TABLES } from "./batch.js";

const RIGHTS = 7n;
const LARGE = bit(7);
const MARKS = [0n, bit(5), bit(6), bit(5) | bit(6)];
/** PWT, PCD and the bits of software. */
const IGNORED = [0n, 0n, bit(3), bit(4), bits(11, 9)];

/** Bits that a rule of one mode or level names, and their neighbours. */
function edgesOf({ maxphyaddr = 36, stolen }: Features): bigint[] {
  const named = [0, 1, 2, 3, 7, 8, 12, 13, 16, 17, 20, 21, 22, 29, 30, 47, 50, 51, 52, 58, 59, 62, 63];
  const width = [maxphyaddr - 1, maxphyaddr, maxphyaddr + 1];
  const all = [...named, ...width].map(bit);
  return stolen === 0n ? all : [...all, stolen, stolen, stolen << 1n, stolen >> 1n];
}

export class Words {
  readonly #random: Random;
  readonly #mode: Shape["mode"];
  readonly #edges: readonly bigint[];
  /** Address bits that the guest has. */
  readonly #address: bigint;
  readonly #stolen: bigint;

  constructor(random: Random, mode: Shape["mode"], features: Features) {
    this.#random = random;
    this.#mode = mode;
    const wide = mode !== "32-bit";
    this.#edges = edgesOf(features).filter((each) => wide || each < bit(32));
    this.#address = bits(wide ? (features.maxphyaddr ?? 36) - 1 : 31, 12);
    this.#stolen = features.stolen;
  }

  /** Rights are all there, but for one in eight of each. */
  #rights(): bigint {
    const random = this.#random;
    let rights = random.once(32) ? RIGHTS - 1n : RIGHTS;
    if (random.once(8)) rights &= ~2n;
    if (random.once(8)) rights &= ~4n;
    const canForbidFetch = this.#mode !== "32-bit" && random.once(12);
    return rights | (canForbidFetch ? bit(63) : 0n) | random.pick(MARKS) | random.pick(IGNORED);
  }

  #edge(): bigint {
    if (!this.#random.once(10)) return 0n;
    const edge = this.#random.pick(this.#edges);
    return this.#random.once(4) ? edge ^ this.#random.pick(this.#edges) : edge;
  }

  /** To the table below, or now and then to another page or to none. */
  link(level: number): bigint {
    const random = this.#random;
    const page = random.once(40) ? random.below(TABLE_PAGES + 2) : level - 1;
    return (BigInt(TABLES + page * PAGE) | this.#rights()) ^ this.#edge();
  }

  leaf(level: number, offsetBits: number): bigint {
    const random = this.#random;
    const low = BigInt(random.below(2 ** 26));
    const anywhere = ((low << 26n) | BigInt(random.below(2 ** 26))) & this.#address;
    const frame = anywhere & ~bits(offsetBits - 1, 0);
    // PAT, which is bit 7 of the smallest page.
    const pat = random.once(3) ? (level === 1 ? LARGE : bit(12)) : 0n;
    const key = this.#mode === "4-level" || this.#mode === "5-level" ? BigInt(random.below(16)) << 59n : 0n;
    const alias = random.once(3) ? this.#stolen : 0n;
    const size = level > 1 ? LARGE : 0n;
    return (frame | alias | pat | key | size | this.#rights()) ^ this.#edge();
  }
}
