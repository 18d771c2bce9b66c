/** What the bare addon says of presets and configs, and how it refuses them. */
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../lib/native/addon.js";
import type { NativeVmConfig } from "../../lib/native/addon-types.js";
import { CONFIG, under } from "./native-config.js";

const addon = loadAddon();

/** One array of 12 entries and no links, but for what is said. */
function tlbWith({ pde = 0, ...array }: { entries?: number; ways?: number; sizes?: number; pde?: number }) {
  const pagingStructureCaches = { pde, pdpte: 0, pml4e: 0, pml5e: 0 };
  return { arrays: [{ entries: 12, ways: 12, sizes: 1, ...array }], pagingStructureCaches };
}

describe("a preset", () => {
  test("fixes the width, the root and the aliases", () => {
    expect(addon.preset("tdx51")).toEqual({
      preset: "tdx51",
      kind: "private-shared",
      bits: [51],
      addressBits: 52,
      rootLevel: 5,
      executeOnly: false,
      aliases: [0, 2 ** 51],
    });
    expect(addon.preset("bits:47,46")).toMatchObject({
      bits: [46, 47],
      rootLevel: 4,
      aliases: [0, 2 ** 46, 2 ** 47, 2 ** 46 + 2 ** 47],
    });
    expect(addon.preset("xo:46")).toMatchObject({ kind: "attribute", executeOnly: true });
    expect(addon.preset("sev:47")).toMatchObject({ kind: "stripped", bits: [], aliases: [0] });
  });

  test("that fixes nothing says so with zeros", () => {
    expect(addon.preset("none")).toEqual({
      preset: "none",
      kind: "none",
      bits: [],
      addressBits: 0,
      rootLevel: 0,
      executeOnly: false,
      aliases: [0],
    });
  });

  test.each(["", "tdx", "bits:30", "bits:48,50", `bits:${"9".repeat(100)}`, 7, undefined, "none\0"])(
    "%j is refused",
    (text) => {
      expect(() => addon.preset(text as string)).toThrow(expect.objectContaining({ code: "ERR_CONFIG" }));
    },
  );
});

describe("applicability", () => {
  const presets = ["none", "tdx47", "tdx51", "xo:46", "sev:47", "bits:46,47"];
  const pairs = addon.strategies().flatMap(({ name }) => presets.map((preset) => [name, preset] as const));

  test.each(pairs)("of %s under %s agrees with what the constructor does", (strategy, preset) => {
    for (const mmu of ["tdp", "rmap"] as const) {
      for (const flushProvider of ["none", "hyperv"]) {
        const config = under(preset, { strategy, mmu, flushProvider });
        const reason = addon.applicability(config);
        const make = () => new addon.Vm(config).close();
        if (reason === "") make();
        else
          expect(make).toThrow(
            expect.objectContaining({ code: "ERR_UNSUPPORTED", errno: "EOPNOTSUPP", message: reason }),
          );
      }
    }
  });

  test("refuses a config that no VM can have", () => {
    const config = { ...CONFIG, strategy: "nope" };
    expect(() => addon.applicability(config)).toThrow(
      expect.objectContaining({ code: "ERR_UNKNOWN_STRATEGY" }),
    );
  });
});

describe("a config", () => {
  const keys = Object.keys(CONFIG) as (keyof NativeVmConfig)[];

  test.each(keys)("without %s, or with one of another type, is refused by its name", (key) => {
    for (const value of [undefined, null, {}, Symbol("x"), 2n]) {
      const make = () => new addon.Vm({ ...CONFIG, [key]: value } as NativeVmConfig);
      expect(make).toThrow(TypeError);
      expect(make).toThrow(key === "host" || key === "tlb" ? `config.${key}` : `config.${key} must be a`);
    }
  });

  test.each([
    ["mmu", "ept", 'config.mmu must be "tdp" or "rmap", got "ept"'],
    ["guestPaging", "5-level", '"shadow-ept", got "5-level"'],
    ["flushProvider", "fail:x", "fail:x"],
    ["externalTables", "slow", "slow"],
    ["preset", "tdx52", "tdx52"],
    ["tlb", tlbWith({ entries: 2 ** 32 }), "config.tlb.arrays[0].entries must be an integer in [0, 2^32)"],
    ["tlb", tlbWith({ ways: 1.5 }), "config.tlb.arrays[0].ways must be an integer in [0, 2^32)"],
    ["tlb", tlbWith({ pde: -1 }), "config.tlb.pagingStructureCaches.pde must be an integer in [0, 2^32)"],
    ["tlb", tlbWith({ pde: 65 }), "at most 64 entries in each paging-structure cache"],
    ["tlb", tlbWith({ sizes: 8 }), "must have page sizes of 4K, 2M and 1G"],
    ["tlb", tlbWith({ sizes: 6 }), "must have an array that holds 4K pages"],
    ["tlb", { ...tlbWith({ pde: 1 }), arrays: [] }, "must have 1 to 8 arrays"],
  ])("whose %s is %j is a RangeError that quotes it", (key, value, words) => {
    const make = () => new addon.Vm({ ...CONFIG, [key]: value } as NativeVmConfig);
    expect(make).toThrow(RangeError);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_CONFIG" }));
    expect(make).toThrow(words);
  });

  test("must say the width that its preset fixes", () => {
    expect(() => new addon.Vm({ ...under("tdx51"), addressBits: 48 })).toThrow(
      expect.objectContaining({ code: "ERR_CONFIG" }),
    );
  });
});
