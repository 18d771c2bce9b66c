/** A world's words: what stands where in its arena, before anybody walks. */
import type { Shape } from "../reference-walker/modes.js";
import { ARENA_FRAMES, BENEATH_FRAME, type EntrySpec, type World } from "./world.js";

const PAGE = 4096;
const PWU = 7n;
/** R, W and X, and write-back. */
const EPT_LEAF = 0x37n;
const LARGE = 7;

export const entryBytesOf = (mode: World["mode"]): 4 | 8 => (mode === "32-bit" ? 4 : 8);
const isEpt = ({ beneath }: World): boolean => beneath.startsWith("ept");
export const levelsBeneath = ({ beneath }: World): number => Number(beneath.slice(-1));

/** Entries of three places of each page: an address' indexes are those. */
export const placesOf = (bytes: 4 | 8): readonly number[] => [0, 1, PAGE / bytes - 1];

const flipped = ({ frame, flips }: EntrySpec, base: bigint, bytes: 4 | 8): bigint => {
  const word = BigInt(frame * PAGE) | base;
  const mask = (1n << BigInt(bytes * 8)) - 1n;
  return flips.reduce((entry, n) => entry ^ (1n << BigInt(n)), word) & mask;
};

/** Sets the bytes of the arena that a world begins with. */
export function arenaOf(world: World): Uint8Array {
  const arena = new DataView(new ArrayBuffer(ARENA_FRAMES * PAGE));
  const bytes = entryBytesOf(world.mode);
  const put = (frame: number, index: number, word: bigint, size: 4 | 8) => {
    if (size === 8) arena.setBigUint64(frame * PAGE + index * 8, word, true);
    else arena.setUint32(frame * PAGE + index * 4, Number(word), true);
  };
  for (const [frame, entries] of world.tables.entries())
    for (const [n, place] of placesOf(bytes).entries())
      put(frame, place, flipped(entries[n] as EntrySpec, PWU, bytes), bytes);
  if (world.beneath !== "none") fillBeneath(world, (frame, index, word) => put(frame, index, word, 8));
  return new Uint8Array(arena.buffer);
}

/** The root is the first page, then the table of each level, from the lowest up. */
function fillBeneath(world: World, put: (frame: number, index: number, word: bigint) => void): void {
  const levels = levelsBeneath(world);
  const leaf = isEpt(world) ? EPT_LEAF : PWU;
  for (const [page, spec] of world.beneathPages.entries())
    put(BENEATH_FRAME + 1, page, flipped(spec, leaf, 8));
  for (let level = 2; level <= levels; ++level) {
    const table = level === levels ? BENEATH_FRAME : BENEATH_FRAME + level;
    const link = world.beneathLinks[level - 2] as EntrySpec;
    // A page of 2 MiB in the place of the lowest table leads everything home.
    const isLarge = level === 2 && world.largeBeneath;
    const home = isLarge ? { frame: 0, flips: [...link.flips, LARGE] } : link;
    put(table, 0, flipped(home, isLarge ? leaf : PWU, 8));
  }
}

/** An address with these of the three indexes. */
export function addressOf(mode: World["mode"], indexes: readonly number[], offset: number): bigint {
  if (mode === "off") return BigInt((indexes[0] ?? 0) * PAGE + offset);
  const bits = mode === "32-bit" ? 10 : 9;
  const levels: Record<Shape["mode"], number> = { "32-bit": 2, pae: 2, "4-level": 4, "5-level": 5 };
  const places = placesOf(entryBytesOf(mode));
  let address = BigInt(offset);
  for (let level = 0; level < levels[mode]; ++level)
    address |= BigInt(places[indexes[level] ?? 0] ?? 0) << BigInt(12 + bits * level);
  return address;
}
