/**
 * A page table as plain TypeScript makes it fast: four levels of 512 entries in
 * two columns of 32-bit halves, child tables by number, no object and no BigInt.
 */

const PRESENT = 1;
const PAGE = 4096;
const ROOT = 1;
const ENTRIES = 512;
/** A gpa in two parts that are integers of 32 bits: table indexes lie in one or the other. */
const LOWER = 2 ** 30;

export class HalvesTable {
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  // Table 0 stays empty: an entry that is not there leads to it.
  #used = ROOT + 1;

  constructor(mostTables: number) {
    const entries = (mostTables + 2) * ENTRIES;
    this.#low = new Uint32Array(entries);
    this.#high = new Uint32Array(entries);
  }

  /** Maps the page at `gpa`, below 2^48, to the frame of the same number. */
  insert(gpa: number, flags: number): void {
    const at = this.#pathTo(gpa);
    const frame = Math.floor(gpa / PAGE);
    this.#low[at] = ((frame << 12) | flags | PRESENT) >>> 0;
    this.#high[at] = Math.floor(frame / 2 ** 20);
  }

  /** The entries of `gpas` as halves, 0 where there are none. */
  walk(gpas: Float64Array, low: Uint32Array, high: Uint32Array): void {
    const [lows, highs] = [this.#low, this.#high];
    for (let i = 0; i < gpas.length; i++) {
      const gpa = gpas[i] as number;
      const upper = (gpa / LOWER) | 0;
      const lower = (gpa - upper * LOWER) | 0;
      let at = ROOT * ENTRIES + (upper >>> 9);
      at = (((highs[at] as number) << 20) | ((lows[at] as number) >>> 12)) * ENTRIES + (upper & 511);
      at = (((highs[at] as number) << 20) | ((lows[at] as number) >>> 12)) * ENTRIES + (lower >>> 21);
      at = (((highs[at] as number) << 20) | ((lows[at] as number) >>> 12)) * ENTRIES + ((lower >>> 12) & 511);
      low[i] = lows[at] as number;
      high[i] = highs[at] as number;
    }
  }

  #pathTo(gpa: number): number {
    const upper = Math.floor(gpa / LOWER);
    const lower = gpa - upper * LOWER;
    let at = ROOT * ENTRIES + (upper >>> 9);
    at = this.#child(at) * ENTRIES + (upper & 511);
    at = this.#child(at) * ENTRIES + (lower >>> 21);
    return this.#child(at) * ENTRIES + ((lower >>> 12) & 511);
  }

  #child(at: number): number {
    if (this.#low[at] === 0) {
      this.#low[at] = ((this.#used << 12) | PRESENT) >>> 0;
      this.#high[at] = this.#used >>> 20;
      this.#used++;
    }
    return (((this.#high[at] as number) << 20) | ((this.#low[at] as number) >>> 12)) >>> 0;
  }
}
