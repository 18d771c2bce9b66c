/** What the bare addon says of presets and configs, and how it refuses them. */
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../lib/native/addon.js";
import type { NativeVmConfig } from "../../lib/native/addon-types.js";
import { CONFIG, under } from "./native-config.js";

const addon = loadAddon();

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
      expect(make).toThrow(key === "host" ? "config.host" : `config.${key} must be a`);
    }
  });

  test.each([
    ["mmu", "ept", 'config.mmu must be "tdp" or "rmap", got "ept"'],
    ["guestPaging", "5-level", '"shadow-ept", got "5-level"'],
    ["flushProvider", "fail:x", "fail:x"],
    ["externalTables", "slow", "slow"],
    ["preset", "tdx52", "tdx52"],
    ["tlbEntries", 2 ** 32, "config.tlbEntries must be an integer in [0, 2^32)"],
    ["tlbWays", 1.5, "config.tlbWays must be an integer in [0, 2^32)"],
  ])("whose %s is %j is a RangeError that quotes it", (key, value, words) => {
    const make = () => new addon.Vm({ ...CONFIG, tlbEntries: 12, [key]: value });
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
