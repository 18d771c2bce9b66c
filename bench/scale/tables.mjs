// The page tables that a set of addresses needs, counted by hand: what the
// engine's own count and its links are held to.

// Bits of an address below a table of level 1, 2, ...: what it covers.
const COVERED = [21, 30, 39, 48];

export class TableCount {
  #seen = COVERED.map(() => new Set());

  /** Tables that this address needs and none before it did; the root not among them. */
  add(gpa) {
    let fresh = 0;
    for (const [index, bits] of COVERED.entries()) {
      const seen = this.#seen[index];
      const table = Math.floor(gpa / 2 ** bits);
      if (seen.has(table)) break;
      seen.add(table);
      fresh++;
    }
    return fresh;
  }

  /** By level, from 1 to that below a root of five levels. */
  get byLevel() {
    return this.#seen.map(({ size }) => size);
  }
}
