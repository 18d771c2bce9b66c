/**
 * Where random events happen: frames at the edges of slots, tables, powers of
 * two and the address space; and slots that have such edges. What is drawn is
 * a draft, a function of the world that it will be part of, so that the world
 * may shrink under it.
 */
import fc from "fast-check";
import type { ReferenceConfig, Region } from "../oracle/reference/types.js";

export interface World {
  readonly config: ReferenceConfig;
  /** At least one. */
  readonly slots: readonly Region[];
}

export type Draft<T> = (world: World) => T;

const PAGE = 4096;
const PAGES_2M = 512;
const PAGES_1G = 512 * 512;
const FIRST_HVA = 2 ** 40;
const OTHER_HVA = 0x6000_0000_0000;

const framesOf = (config: ReferenceConfig): number => 2 ** config.addressBits / PAGE;

function slotAt({ slots }: World, index: number): { base: number; pages: number } {
  const slot = slots[index % slots.length];
  if (slot === undefined) throw new Error("a world without slots");
  return { base: slot.gpa / PAGE, pages: slot.bytes / PAGE };
}

/** Offsets into a slot of that many pages: its own edges, and those of the tables that map it. */
const INSIDE: readonly ((pages: number) => number)[] = [
  () => 0,
  (pages) => pages - 1,
  (pages) => Math.floor(pages / 2),
  () => 1,
  () => 63,
  () => 64,
  () => PAGES_2M - 1,
  () => PAGES_2M,
  () => 2 * PAGES_2M - 1,
  () => PAGES_1G,
  () => -1,
  (pages) => pages,
];

const index = fc.nat({ max: 5 });
const side = fc.constantFrom(0, -1, 1);

const within = fc.record({ index, inside: fc.constantFrom(...INSIDE) }).map(
  ({ index, inside }): Draft<number> =>
    (world) => {
      const { base, pages } = slotAt(world, index);
      return base + inside(pages);
    },
);

const hot = fc.record({ index: fc.nat({ max: 1 }), page: fc.nat({ max: 3 }) }).map(
  ({ index, page }): Draft<number> =>
    (world) => {
      const { base, pages } = slotAt(world, index);
      return base + Math.min(page, pages - 1);
    },
);

const boundary = fc.record({ index, level: fc.integer({ min: 2, max: 5 }), up: fc.boolean(), side }).map(
  ({ index, level, up, side }): Draft<number> =>
    (world) => {
      const span = 512 ** (level - 1);
      return (Math.floor(slotAt(world, index).base / span) + (up ? 1 : 0)) * span + side;
    },
);

const power = fc.record({ bit: fc.nat({ max: 40 }), side }).map(
  ({ bit, side }): Draft<number> =>
    ({ config }) =>
      2 ** Math.min(bit, config.addressBits - 12) + side,
);

/** A frame of the address space. Many draws fall on a handful of pages. */
export const frames: fc.Arbitrary<Draft<number>> = fc
  .oneof(
    { weight: 5, arbitrary: hot },
    { weight: 5, arbitrary: within },
    { weight: 2, arbitrary: boundary },
    { weight: 1, arbitrary: power },
  )
  .map((draft) => (world) => Math.min(Math.max(draft(world), 0), framesOf(world.config) - 1));

const RANGE_PAGES = [1, 2, 63, 64, PAGES_2M - 1, PAGES_2M, PAGES_2M + 1, PAGES_1G, 2 ** 40];

/** A non-empty range of whole pages inside the address space. */
export const ranges: fc.Arbitrary<Draft<{ gpa: number; bytes: number }>> = fc
  .record({ frame: frames, pages: fc.constantFrom(...RANGE_PAGES) })
  .map(({ frame, pages }) => (world) => {
    const start = frame(world);
    return { gpa: start * PAGE, bytes: Math.min(pages, framesOf(world.config) - start) * PAGE };
  });

type Place = "adjacent" | "top" | "beyond" | number;
const LOW = [0, 0x100, PAGES_2M - 1, PAGES_2M, 2 * PAGES_2M - 1, PAGES_1G - PAGES_2M, PAGES_1G - 1, PAGES_1G];
// The last: where a four-level tree ends.
const HIGH = [4 * PAGES_1G, 512 * PAGES_1G - PAGES_2M, 512 * PAGES_1G, 2 ** 36];
const PLACES: Place[] = ["adjacent", "adjacent", "adjacent", "top", "top", "beyond", ...LOW, ...HIGH];
const GIANT_PLACES: Place[] = ["adjacent", "adjacent", 0, PAGES_1G, PAGES_1G - PAGES_2M, 4 * PAGES_1G];

const SIZES = [1, 2, 64, 65, 160, PAGES_2M - 1, PAGES_2M, PAGES_2M + 1, 2 * PAGES_2M, 1537, 8 * PAGES_2M];
const GIANT_SIZES = [PAGES_1G, PAGES_1G + PAGES_2M, 2 * PAGES_1G];

/** Host addresses: the default, elsewhere, off by a page or by 2M, and below where pfns start. */
const HVAS: readonly ((gpa: number) => number)[] = [
  (gpa) => FIRST_HVA + gpa,
  (gpa) => FIRST_HVA + gpa,
  (gpa) => OTHER_HVA + (gpa % 2 ** 30),
  (gpa) => OTHER_HVA + (gpa % 2 ** 30) + PAGE,
  (gpa) => OTHER_HVA + (gpa % 2 ** 30) + 2 ** 21,
  (gpa) => 2 ** 30 + (gpa % 2 ** 30),
];

/** A slot that knows those drawn before it: its world holds only these, possibly none. */
export function slots(giants: boolean): fc.Arbitrary<Draft<Region>> {
  return fc
    .record({
      // Mostly an id of its own; else one that may be taken, or another address space.
      slot: fc.option(fc.constantFrom(0, 1, 2, 3, 65536, 65537), { freq: 4 }),
      flags: fc.constantFrom(0, 0, 0, 1, 1, 2, 3),
      place: fc.constantFrom(...(giants ? GIANT_PLACES : PLACES)),
      pages: fc.constantFrom(...(giants ? GIANT_SIZES : SIZES)),
      backing: giants ? fc.constantFrom(3, 3, 2) : fc.constantFrom(2, 2, 1, 3),
      hva: fc.constantFrom(...HVAS),
    })
    .map(({ slot, flags, place, pages, backing, hva }) => (world) => {
      const gpa = gpaAt(world, place, pages);
      return { slot: slot ?? world.slots.length, flags, gpa, bytes: pages * PAGE, hva: hva(gpa), backing };
    });
}

function gpaAt({ config, slots }: World, place: Place, pages: number): number {
  const last = slots.at(-1);
  if (place === "adjacent") return last === undefined ? 0 : last.gpa + last.bytes;
  if (place === "top") return (framesOf(config) - pages) * PAGE;
  // Hosts map more than this guest can address; no access gets there.
  if (place === "beyond") return framesOf(config) * PAGE;
  return place * PAGE;
}
