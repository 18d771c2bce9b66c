/**
 * Numbers that scripts of memslots are made of: most of them next to an edge
 * of something.
 */
import type { Random } from "../random.js";

export const PAGE = 4096n;
/** The process' memory, and how much of it slots show. */
const MEMORY = 2n ** 45n;
const MEMORY_PAGES = 4096;

/** Sizes in pages: words of a bitmap are 64, a large page is 512, KVM takes 2^31 - 1 at most. */
const SIZES: readonly (readonly [number, bigint])[] = [
  ...[1n, 2n, 3n, 6n, 0x24n, 0x3dn, 0x3fn, 0x40n, 0x41n, 0x7fn, 0x80n, 0x81n].map(
    (size) => [12, size] as const,
  ),
  ...[0x1ffn, 0x200n, 0x201n, 0x400n].map((size) => [8, size] as const),
  ...[0x40000n, 0x100000n].map((size) => [1, size] as const),
  ...[2n ** 31n, 2n ** 40n, 2n ** 52n - 1n].map((size) => [1, size] as const),
];

/** Where guest memory, large pages and the widths of addresses begin and end. */
const PLACES: readonly bigint[] = [
  ...[0n, 0x1000n, 0x10000n, 0xff000n, 0x100000n, 0x1ff000n, 0x200000n, 0x40000000n],
  ...[
    2n ** 32n - PAGE,
    2n ** 32n,
    2n ** 36n,
    2n ** 40n,
    2n ** 46n - PAGE,
    2n ** 47n - PAGE,
    2n ** 48n,
    2n ** 51n,
  ],
];
/** Where there is room for little, or for nothing. */
const FAR: readonly bigint[] = [2n ** 52n - PAGE, 2n ** 52n, 2n ** 63n, 2n ** 64n - PAGE];

export function randomBytes(random: Random): bigint {
  if (random.isOneIn(40)) return random.pick([0x800n, 0x1001n, 2n ** 64n - PAGE, 0n]);
  return random.weighted(SIZES) * PAGE;
}

/** Near what is there, or at a place of its own. */
export function randomGpa(random: Random, edges: readonly bigint[]): bigint {
  if (random.isOneIn(50)) return random.pick(PLACES) + random.pick([0x10n, 0x800n]);
  const near = edges.length > 0 && !random.isOneIn(3);
  const base = near ? random.pick(edges) : random.pick(random.isOneIn(12) ? FAR : PLACES);
  const apart = random.pick([0n, 0n, 0n, PAGE, -PAGE, 0x40n * PAGE, 0x200n * PAGE, 0x100000n]);
  return wrapped(base + apart);
}

export function randomHva(random: Random): bigint {
  const inside = MEMORY + BigInt(random.below(MEMORY_PAGES)) * PAGE;
  return random.weighted<bigint>([
    [60, inside],
    [3, inside + 2n ** 40n],
    [1, inside + 0x800n],
    [1, 2n ** 47n - PAGE],
    [1, 2n ** 47n],
    [1, 2n ** 63n + 0x1000n],
    [1, 0n],
  ]);
}

/** Around an edge: words and structures that end before it, begin at it, and lie across it. */
export function besideEdge(random: Random, edge: bigint): bigint {
  const apart = random.pick([-16, -12, -11, -8, -6, -4, -3, -2, -1, 0, 1, 4, 16, 0x100]);
  return wrapped(edge + BigInt(apart));
}

export function wrapped(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

export function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}
