import { describe, expect, test } from "vitest";
import { HOST_DEFAULTS } from "../../lib/config/host.js";
import { type ResolvedVmConfig, resolveConfigWith, type VmConfig } from "../../lib/config.js";
import { fakeEngine } from "../support/fake-engine.js";
import { thrownBy } from "./thrown.js";

const resolveConfig = (config?: VmConfig): ResolvedVmConfig => resolveConfigWith(fakeEngine, config);

test("every default is filled in", () => {
  expect(resolveConfig()).toEqual({
    addressBits: 48,
    rootLevel: 4,
    hostMaxphyaddr: 48,
    vcpus: 1,
    alias: { strategy: "none", preset: "none" },
    mmu: "tdp",
    flushProvider: "none",
    tlb: false,
    internalSlots: false,
    guestPaging: "long",
    externalTables: "ok",
    convertOnExit: false,
    kernel: "6.16",
    host: HOST_DEFAULTS,
    arenaBytes: 16 * 2 ** 30,
  });
});

test.each([
  [36, 4, 46],
  [46, 4, 46],
  [48, 4, 48],
  [49, 5, 49],
  [52, 5, 52],
])("%d address bits need %d levels and a host of %d bits", (addressBits, rootLevel, hostMaxphyaddr) => {
  expect(resolveConfig({ addressBits })).toMatchObject({ rootLevel, hostMaxphyaddr });
});

test("five levels are allowed for narrow addresses, as on a host with 5-level paging", () => {
  expect(resolveConfig({ addressBits: 40, rootLevel: 5 }).rootLevel).toBe(5);
});

test("a configuration that was resolved resolves to itself", () => {
  for (const config of [
    { addressBits: 52, vcpus: 4 },
    { alias: { strategy: "precise", preset: "tdx51" }, mmu: "rmap", tlb: true, flushProvider: "fail:3" },
    { tlb: { entries: 64, ways: 4 }, internalSlots: true, externalTables: "busy:2", convertOnExit: true },
  ] as const) {
    const once = resolveConfig(config);
    expect(resolveConfig(once)).toEqual(once);
  }
});

const mistakes: [string, unknown, ErrorConstructor, string][] = [
  ["width below 32", { addressBits: 31 }, RangeError, "addressBits must be an integer from 32 to 52, got 31"],
  ["width above 52", { addressBits: 53 }, RangeError, "addressBits must be an integer from 32 to 52, got 53"],
  [
    "width as text",
    { addressBits: "48" },
    TypeError,
    'addressBits must be an integer from 32 to 52, got "48"',
  ],
  ["level 3", { rootLevel: 3 }, RangeError, "rootLevel must be an integer from 4 to 5, got 3"],
  [
    "4 levels for 52 bits",
    { addressBits: 52, rootLevel: 4 },
    RangeError,
    "rootLevel must be 5 when addressBits is 52, as 4 levels hold 48 bits, got 4",
  ],
  [
    "a host narrower than the guest",
    { addressBits: 48, hostMaxphyaddr: 46 },
    RangeError,
    "hostMaxphyaddr must be at least addressBits, which is 48, got 46",
  ],
  ["a vCPU less than none", { vcpus: -1 }, RangeError, "vcpus must be an integer from 0 to 65536, got -1"],
  [
    "an unknown key",
    { adressBits: 48 },
    TypeError,
    'config has no key "adressBits"; did you mean addressBits?',
  ],
  [
    "an unknown alias key",
    { alias: { bits: [47] } },
    TypeError,
    'alias has no key "bits"; the keys are strategy, preset',
  ],
  [
    "an unknown strategy",
    { alias: { strategy: "miror" } },
    RangeError,
    'alias.strategy must be one of "mirror", "none", "precise", "v5-as-posted" (did you mean mirror?), got "miror"',
  ],
  [
    "an unknown preset",
    { alias: { preset: "tdx49" } },
    RangeError,
    'alias.preset "tdx49": there is no preset tdx49',
  ],
  [
    "alias bits with a gap",
    { alias: { preset: "bits:44,46" } },
    RangeError,
    'alias.preset "bits:44,46": alias bits leave no gap, got 44,46',
  ],
  [
    "five alias bits",
    { alias: { preset: "bits:43,44,45,46,47" } },
    RangeError,
    'alias.preset "bits:43,44,45,46,47": 1 to 4 alias bits, got 5',
  ],
  ["a preset that is no text", { alias: { preset: 47 } }, TypeError, "alias.preset must be a string, got 47"],
  [
    "another width than the preset's",
    { addressBits: 52, alias: { preset: "tdx47" } },
    RangeError,
    'addressBits must be 48, as alias.preset "tdx47" fixes it, got 52',
  ],
  [
    "other levels than the preset's",
    { rootLevel: 5, alias: { preset: "tdx47" } },
    RangeError,
    'rootLevel must be 4, as alias.preset "tdx47" fixes it, got 5',
  ],
  ["an unknown flavour", { mmu: "shadow" }, RangeError, 'mmu must be one of "tdp", "rmap", got "shadow"'],
  [
    "an unknown provider",
    { flushProvider: "xen" },
    RangeError,
    'flushProvider must be one of "none", "hyperv", "fail:<k>" with k from 1 to 4294967295, got "xen"',
  ],
  ["a provider that fails every 0th time", { flushProvider: "fail:0" }, RangeError, "flushProvider must be"],
  ["a provider with two periods", { flushProvider: "fail:1:2" }, RangeError, "flushProvider must be"],
  ["a period beyond any trace", { flushProvider: "fail:4294967296" }, RangeError, "flushProvider must be"],
  ["a provider that is no text", { flushProvider: 3 }, TypeError, "flushProvider must be one of"],
  ["an other side that hangs", { externalTables: "hang" }, RangeError, 'externalTables must be one of "ok"'],
  [
    "a TLB as a number",
    { tlb: 1536 },
    TypeError,
    "tlb must be true, false, a preset's name, or an object with entries and ways or with arrays",
  ],
  ["a TLB without entries", { tlb: { entries: 0 } }, RangeError, "tlb.entries must be an integer from 1 to"],
  [
    "sets that come out uneven",
    { tlb: { entries: 100 } },
    RangeError,
    "tlb.entries must be a multiple of tlb.ways, which is 12, got 100",
  ],
  [
    "a set of 65",
    { tlb: { entries: 65, ways: 65 } },
    RangeError,
    "tlb.ways must be an integer from 1 to 64, got 65",
  ],
  ["a TLB with sets", { tlb: { sets: 128 } }, TypeError, 'tlb has no key "sets"'],
  [
    "a slot switch as text",
    { internalSlots: "yes" },
    TypeError,
    'internalSlots must be true or false, got "yes"',
  ],
  ["a conversion switch as 1", { convertOnExit: 1 }, TypeError, "convertOnExit must be true or false, got 1"],
  [
    "unknown guest paging",
    { guestPaging: "64" },
    RangeError,
    'guestPaging must be one of "long", "pae", "32", "shadow-ept", got "64"',
  ],
  ["no object", null, TypeError, "config must be an object, got null"],
  ["an arena of one page", { arenaBytes: 4096 }, RangeError, "arenaBytes must be an integer from 262144"],
];

describe("each mistake has one sentence", () => {
  test.each(mistakes)("%s", (_, config, type, sentence) => {
    const error = thrownBy(() => resolveConfig(config as VmConfig));
    expect(error).toBeInstanceOf(type);
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message.startsWith(sentence)).toBe(true);
  });
});

test.each([
  ["tdx47", 48, 4, 48],
  ["tdx51", 52, 5, 52],
  ["bits:31", 32, 4, 46],
  ["bits:47,48", 49, 5, 49],
])("preset %s fixes %d address bits and %d levels", (preset, addressBits, rootLevel, hostMaxphyaddr) => {
  expect(resolveConfig({ alias: { preset } })).toMatchObject({ addressBits, rootLevel, hostMaxphyaddr });
});

test("a width that agrees with the preset is accepted", () => {
  expect(resolveConfig({ addressBits: 52, rootLevel: 5, alias: { preset: "tdx51" } }).addressBits).toBe(52);
});

test("true is a TLB of 1536 entries in 12 ways, false is none", () => {
  expect(resolveConfig({ tlb: true }).tlb).toEqual({ entries: 1536, ways: 12 });
  expect(resolveConfig({ tlb: { ways: 8 } }).tlb).toEqual({ entries: 1536, ways: 8 });
  expect(resolveConfig({ tlb: false }).tlb).toBe(false);
});

describe("what is right by itself and not together is unsupported, with the engine's reason", () => {
  const together: [string, VmConfig, string][] = [
    [
      "a flavour",
      { alias: { strategy: "mirror", preset: "tdx47" }, mmu: "rmap" },
      "mirror has no flavour rmap",
    ],
    [
      "a preset",
      { alias: { strategy: "mirror", preset: "bits:47" } },
      "mirror is not for this kind of preset",
    ],
    ["no preset", { alias: { strategy: "precise" } }, "there is no alias"],
    [
      "a provider",
      { alias: { strategy: "mirror", preset: "tdx47" }, flushProvider: "hyperv" },
      "mirror refuses a provider",
    ],
    ...(["32", "shadow-ept"] as const).map((guestPaging): [string, VmConfig, string] => [
      `${guestPaging} guest paging`,
      { alias: { strategy: "precise", preset: "bits:47" }, guestPaging },
      "alias bits need 64-bit guest paging",
    ]),
  ];

  test.each(together)("%s", (_, config, reason) => {
    const error = thrownBy(() => resolveConfig(config));
    const { strategy, preset = "none" } = config.alias ?? {};
    const pair = `${strategy}/${config.mmu ?? "tdp"} with alias preset "${preset}"`;
    expect(error).toMatchObject({ name: "MmuError", code: "ERR_UNSUPPORTED", errno: "EOPNOTSUPP" });
    expect(error.message).toBe(`${pair} is not supported: ${reason}`);
  });
});
