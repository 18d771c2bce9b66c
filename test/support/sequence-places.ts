/**
 * Where random events happen: frames at the edges of slots, tables, powers of
 * two and the address space; and slots that have such edges. What is drawn is
 * a draft, a function of the world that it will be part of, so that the world
 * may shrink under it.
 */
import fc from "fast-check";
import type { ReferenceConfig, Region } from "../oracle/reference/types.js";
import { aliasCountOf, homeFramesOf } from "./alias-rows.js";

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
/** Past the host addresses that an event can name. */
const HVA_END = 2 ** 52;

const framesOf = (config: ReferenceConfig): number => 2 ** config.addressBits / PAGE;

function slotAt({ slots }: World, index: number): Region & { base: number; pages: number } {
  const slot = slots[index % slots.length];
  if (slot === undefined) throw new Error("a world without slots");
  return { ...slot, base: slot.gpa / PAGE, pages: slot.bytes / PAGE };
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
      2 ** Math.min(bit, Math.log2(homeFramesOf(config))) + side,
);

/** Where KVM has memory of its own, if it has any, and beside it. */
const internal = fc.constantFrom(0xfee00, 0xfeffc, 0xfeffd, 0xfefff, 0xfeffb, 0xff000).map(
  (frame): Draft<number> =>
    () =>
      frame,
);

/** A frame without alias bits. Many draws fall on a handful of pages. */
export const frames: fc.Arbitrary<Draft<number>> = fc
  .oneof(
    { weight: 9, arbitrary: hot },
    { weight: 5, arbitrary: within },
    { weight: 2, arbitrary: boundary },
    { weight: 1, arbitrary: power },
    { weight: 1, arbitrary: internal },
  )
  .map((draft) => (world) => Math.min(Math.max(draft(world), 0), homeFramesOf(world.config) - 1));

/** One of the aliases of a frame, the first as often as all others together. */
export const aliases: fc.Arbitrary<Draft<number>> = fc.oneof(fc.constant(0), fc.nat({ max: 15 })).map(
  (alias) =>
    ({ config }) =>
      alias % aliasCountOf(config),
);

/** That alias of a frame. */
export const issue = ({ config }: World, frame: number, alias: number): number =>
  frame + alias * homeFramesOf(config);

const RANGE_PAGES = [1, 2, 63, 64, PAGES_2M - 1, PAGES_2M, PAGES_2M + 1, PAGES_1G, 2 ** 40];

/** A non-empty range of whole pages without alias bits. */
export const ranges: fc.Arbitrary<Draft<{ gpa: number; bytes: number }>> = fc
  .record({ frame: frames, pages: fc.constantFrom(...RANGE_PAGES) })
  .map(({ frame, pages }) => (world) => {
    const start = frame(world);
    return { gpa: start * PAGE, bytes: Math.min(pages, homeFramesOf(world.config) - start) * PAGE };
  });

/** Host addresses of a slot, or some of them, or more. */
export const hvaRanges: fc.Arbitrary<Draft<{ gpa: number; bytes: number }>> = fc
  .record({ index, inside: fc.constantFrom(...INSIDE), pages: fc.constantFrom(...RANGE_PAGES) })
  .map(({ index, inside, pages }) => (world) => {
    const { hva, bytes } = slotAt(world, index);
    const gpa = Math.min(Math.max(hva + inside(bytes / PAGE) * PAGE, 0), HVA_END - PAGE);
    return { gpa, bytes: Math.min(pages * PAGE, HVA_END - gpa) };
  });

type Place = "adjacent" | "top" | "beyond" | number;
const LOW = [
  0,
  0x100,
  PAGES_2M - 1,
  PAGES_2M,
  2 * PAGES_2M - 1,
  PAGES_1G - PAGES_2M,
  PAGES_1G - 1,
  PAGES_1G,
  0xfeff8,
];
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
  if (place === "top") return (homeFramesOf(config) - pages) * PAGE;
  // Hosts map more than this guest can address; no access gets there.
  if (place === "beyond") return framesOf(config) * PAGE;
  return place * PAGE;
}
