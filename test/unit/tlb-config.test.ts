/** The option `tlb` in every form: what it comes to, and how it is refused. */
import { expect, test } from "vitest";
import { arraysOf, tlbOf } from "../../lib/config/tlb.js";
import { TLB_PRESETS } from "../../lib/config/tlb-presets.js";
import { resolveConfig } from "../../lib/index.js";
import { TLB_PRESET_NAMES, tlbShapeOf } from "../oracle/reference/tlb-shape.js";

const NO_LINKS = { pde: 0, pdpte: 0, pml4e: 0, pml5e: 0 };
const SMALL = { entries: 64, ways: 4, sizes: ["4K"] };

test("the old forms stay one array of 4K entries", () => {
  expect(tlbOf(true)).toEqual({ entries: 1536, ways: 12 });
  expect(arraysOf(tlbOf({ entries: 64, ways: 4 }))).toEqual({
    arrays: [SMALL],
    pagingStructureCaches: NO_LINKS,
  });
  expect(arraysOf(false).arrays).toEqual([]);
});

test("arrays come out with sizes in order and every cache counted", () => {
  const arrays = [{ entries: 8, ways: 2, sizes: ["1G", "4K"] }];
  expect(tlbOf({ arrays, pagingStructureCaches: { pdpte: 4 } })).toEqual({
    arrays: [{ entries: 8, ways: 2, sizes: ["4K", "1G"] }],
    pagingStructureCaches: { ...NO_LINKS, pdpte: 4 },
  });
});

test.each(TLB_PRESETS.map(({ name }) => name))("the preset %s makes a VM, and says so", (name) => {
  const { tlb } = resolveConfig({ tlb: name });
  expect(tlb).toMatchObject({ preset: name });
  // What a result prints can be asked for again.
  expect(tlbOf(JSON.parse(JSON.stringify(tlb)))).toEqual(tlb);
});

test("the presets are those that the reference model has, figure by figure", () => {
  expect(TLB_PRESETS.map(({ name }) => name)).toEqual(TLB_PRESET_NAMES);
  for (const { name, arrays, pagingStructureCaches = {} } of TLB_PRESETS)
    expect(tlbShapeOf({ arrays, pagingStructureCaches })).toEqual(tlbShapeOf(name));
});

test.each(TLB_PRESETS.map((preset) => [preset.name, preset] as const))("%s names its source", (_, preset) => {
  expect(preset.source).toMatch(/\(\d{5,6}\)/);
  expect(preset.parts).not.toBe("");
});

const SIZES_OF = (sizes: unknown) => ({ arrays: [{ entries: 8, ways: 2, sizes }] });

test.each([
  ["a preset that is misspelt", "skylake-sever", "did you mean skylake-server?"],
  ["no preset at all", "pentium", 'tlb must be one of "skylake-server"'],
  ["no arrays", { arrays: [] }, "tlb.arrays must be 1 to 8 arrays, got 0"],
  ["nine arrays", { arrays: Array(9).fill(SMALL) }, "tlb.arrays must be 1 to 8 arrays, got 9"],
  ["arrays that are none", { arrays: 3 }, "tlb.arrays must be an array, got 3"],
  ["arrays without 4K", SIZES_OF(["2M"]), "tlb.arrays must be arrays of which one holds 4K pages"],
  ["a size that no part has", SIZES_OF(["4K", "4M"]), "tlb.arrays[0].sizes[1] must be one of"],
  [
    "a size twice",
    SIZES_OF(["4K", "4K"]),
    "tlb.arrays[0].sizes must be one or more sizes, none of them twice",
  ],
  ["no sizes", SIZES_OF([]), "tlb.arrays[0].sizes must be one or more sizes"],
  ["sizes left out", SIZES_OF(undefined), "tlb.arrays[0].sizes must be an array"],
  ["entries left out", { arrays: [{ ways: 2, sizes: ["4K"] }] }, "tlb.arrays[0].entries must be an integer"],
  ["half a set", { arrays: [{ ...SMALL, ways: 3 }] }, "tlb.arrays[0].entries must be a multiple of"],
  [
    "too many links",
    { arrays: [SMALL], pagingStructureCaches: { pde: 65 } },
    "tlb.pagingStructureCaches.pde must be an integer from 0 to 64, got 65",
  ],
  [
    "a cache of another level",
    { arrays: [SMALL], pagingStructureCaches: { pte: 1 } },
    'tlb.pagingStructureCaches has no key "pte"; did you mean pde?',
  ],
  [
    "a preset's name over other arrays",
    { arrays: [SMALL], pagingStructureCaches: NO_LINKS, preset: "zen3" },
    "tlb.preset must be absent, or the name of a preset that has just these arrays",
  ],
])("%s is refused in a sentence", (_, tlb, words) => {
  expect(() => tlbOf(tlb)).toThrow(words);
  expect(() => tlbOf(tlb)).toThrow(expect.objectContaining({ code: "ERR_CONFIG" }));
});
