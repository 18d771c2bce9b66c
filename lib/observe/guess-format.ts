/**
 * Whose entries a trace has, by the entries alone.
 *
 * Links to tables say most: their low bits are the same in every VM of a kind.
 */
import { type EntryFormat, type EntryRelease, type EntryVendor, entryFormat } from "./entry.js";
import type { Line } from "./line.js";

export interface Guess<T> {
  readonly value: T;
  /** `given` where somebody said so, `none` where nothing in the trace speaks for it. */
  readonly confidence: "given" | "high" | "low" | "none";
  readonly why: string;
}

const bit = (n: number): bigint => 1n << BigInt(n);
const LOW = 0xfffn;

/** The low bits of links, without Accessed: of a kernel with MMU-present (5.13), and before. */
const LINKS: readonly (readonly [number, EntryVendor, boolean])[] = [
  [0x907, "ept", true],
  [0x807, "ept", true],
  [0x827, "npt", true],
  [0x107, "ept", false],
  [0x007, "ept", false],
  [0x027, "npt", false],
];

/** Votes are counted line by line, so a trace of any length can be looked at. */
export class FormatVotes {
  readonly #links = new Map<string, number>();
  #suppress = 0;
  #plain = 0;

  add(line: Line): void {
    if (line.event !== "changed") return;
    for (const spte of [line.old, line.now]) this.#look(spte, line.level);
  }

  #look(spte: bigint, level: number): void {
    if (spte === bit(63) || spte === (bit(63) | 0x5a0n)) this.#suppress++;
    if (spte === 0n || spte === 0x5a0n) this.#plain++;
    if (level === 1 || spte === 0n) return;
    const low = Number(spte & LOW);
    const found = LINKS.find(([bits]) => bits === low);
    if (found === undefined) return;
    const key = `${found[1]} ${found[2]}`;
    this.#links.set(key, (this.#links.get(key) ?? 0) + 1);
  }

  guess(): Guess<EntryFormat> {
    const [first] = [...this.#links].sort(([, a], [, b]) => b - a);
    const [vendor, isNew] = first === undefined ? ["ept", "true"] : first[0].split(" ");
    const release = this.#release(isNew === "true");
    const value = entryFormat(vendor as EntryVendor, release);
    if (first === undefined) {
      return { value, confidence: "low", why: "no link to a table is in the trace" };
    }
    return { value, confidence: "high", why: `${first[1]} links to tables look like this` };
  }

  #release(isNew: boolean): EntryRelease {
    if (!isNew) return "5.10";
    return this.#suppress > this.#plain ? "6.16" : "6.1";
  }
}
