/**
 * Alias bits of a trace that names none: guesses from the addresses.
 *
 * A guest that sets an alias bit touches the same low addresses with and
 * without it, far below the bit. A device window far up has addresses of its
 * own, and several bits that never stand alone. It must not read traces.
 */
import type { Guess } from "./infer-memslots.js";
import type { TouchedPages } from "./survey-trace.js";

/** No machine in use has an alias bit lower, and RAM may reach above it. */
const LOWEST_BIT = 40;
const HIGHEST_BIT = 51;
const MOST_BITS = 4;
/** More pages than the registers of a device. */
const MIN_PAGES = 64;
/** Of the aliased memory this much is touched both ways. */
const MIN_SHARED = 0.25;
const CHUNK_BYTES = 2 ** 21;

/** Bits that split the touched memory into aliases of the same pages; none if nothing shows it. */
export function inferAliases(touched: TouchedPages): readonly Guess[] {
  const plain = new Set<number>();
  const aliased: { low: number; bits: readonly number[]; pages: number }[] = [];
  for (const { gpa, pages } of touched.chunks()) {
    const bits = bitsOf(gpa);
    if (bits.length === 0) plain.add(gpa);
    else aliased.push({ low: withoutBits(gpa, bits), bits, pages });
  }
  const bits = [...new Set(aliased.flatMap((each) => each.bits))].sort((a, b) => a - b);
  const pages = sum(aliased);
  const shared = sum(aliased.filter(({ low }) => plain.has(low)));
  const standAlone = bits.every((bit) =>
    aliased.some((each) => each.bits.length === 1 && each.bits[0] === bit),
  );
  if (bits.length === 0 || bits.length > MOST_BITS || !standAlone) return [];
  if (pages < MIN_PAGES || shared < MIN_SHARED * pages || !isFarBelow(plain, bits[0] as number)) return [];
  const share = shared / pages;
  const why =
    `${pages} pages are touched with ${bits.length === 1 ? "that bit" : "such bits"} set, ` +
    `${Math.round(100 * share)} % of them beside pages of the same 2M without; --alias says how to replay them`;
  return [{ what: "alias bits", value: bits.join(","), confidence: 0.5 + share / 2.5, why }];
}

function bitsOf(gpa: number): readonly number[] {
  const found: number[] = [];
  for (let bit = LOWEST_BIT; bit <= HIGHEST_BIT; bit++) {
    if (Math.floor(gpa / 2 ** bit) % 2 === 1) found.push(bit);
  }
  return found;
}

function withoutBits(gpa: number, bits: readonly number[]): number {
  return bits.reduce((rest, bit) => rest - 2 ** bit, gpa);
}

/** Memory ends at least two bits below the lowest alias bit. */
function isFarBelow(plain: ReadonlySet<number>, bit: number): boolean {
  let end = 0;
  for (const gpa of plain) end = Math.max(end, gpa + CHUNK_BYTES);
  return end <= 2 ** (bit - 2);
}

function sum(of: readonly { readonly pages: number }[]): number {
  return of.reduce((total, { pages }) => total + pages, 0);
}
