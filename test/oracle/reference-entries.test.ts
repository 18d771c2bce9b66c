/** The model's entries, against words worked out by hand and recorded on real hosts. */
import { describe, expect, test } from "vitest";
import { aLeaf } from "./reference/builders.js";
import { renderLeaf, renderMmio } from "./reference/spte.js";

describe("entries as hardware sees them", () => {
  test.each([
    ["4K RWX", aLeaf(), 0x8600000012345b77n],
    ["prefetched", aLeaf({ accessed: false }), 0x8600000012345a77n],
    ["protected for logging", aLeaf({ w: false }), 0x8600000012345b75n],
    ["protected for shadowing", aLeaf({ w: false, mmuWritable: false }), 0x8200000012345b75n],
    ["never writable", aLeaf({ w: false, mmuWritable: false, dirty: false }), 0x8200000012345975n],
    ["dirty cleared", aLeaf({ dirty: false }), 0x8600000012345977n],
    [
      "read-only slot",
      aLeaf({ w: false, mmuWritable: false, hostWritable: false, dirty: false }),
      0x8000000012345975n,
    ],
    ["2M, not executable", aLeaf({ level: 2, pfn: 0x12200, x: false }), 0x8600000012200bf3n],
  ])("a leaf, %s", (_, leaf, word) => {
    expect(renderLeaf(leaf)).toBe(word);
  });

  test.each([
    [0xfee00, 0, 0x00000000fee00006n],
    [0xfee00, 2, 0x00000000fee00016n],
    [0xfee00, 0x102, 0x00100000fee00016n],
    [0xfee00, 0x7fffe, 0x7ff00000fee007f6n],
    [0x800000000, 6, 0x0000800000000036n],
  ])("an MMIO entry of frame %i in generation %i", (gfn, generation, word) => {
    expect(renderMmio(gfn, generation)).toBe(word);
  });
});
