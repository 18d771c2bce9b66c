import { describe, expect, test } from "vitest";
import { resolveConfig, type VmConfig } from "../../lib/config.js";
import { thrownBy } from "./thrown.js";

test("every default is filled in", () => {
  expect(resolveConfig()).toEqual({
    addressBits: 48,
    rootLevel: 4,
    hostMaxphyaddr: 48,
    vcpus: 1,
    alias: { strategy: "none", preset: "none" },
    mmu: "tdp",
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
  const once = resolveConfig({ addressBits: 52, vcpus: 4 });
  expect(resolveConfig(once)).toEqual(once);
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
  ["no vCPU", { vcpus: 0 }, RangeError, "vcpus must be an integer from 1 to 65536, got 0"],
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
    { alias: { strategy: "mirror" } },
    RangeError,
    'alias.strategy must be "none", got "mirror"',
  ],
  [
    "an unknown preset",
    { alias: { preset: "tdx47" } },
    RangeError,
    'alias.preset must be "none", got "tdx47"',
  ],
  ["an unknown flavour", { mmu: "rmap" }, RangeError, 'mmu must be "tdp", got "rmap"'],
  ["no object", null, TypeError, "config must be an object, got null"],
  ["an arena of one page", { arenaBytes: 4096 }, RangeError, "arenaBytes must be an integer from 2097152"],
];

describe("each mistake has one sentence", () => {
  test.each(mistakes)("%s", (_, config, type, sentence) => {
    const error = thrownBy(() => resolveConfig(config as VmConfig));
    expect(error).toBeInstanceOf(type);
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message.startsWith(sentence)).toBe(true);
  });
});

test("strategies are those of the engine", () => {
  const config = { alias: { strategy: "mirror" } };
  expect(resolveConfig(config, ["mirror", "none"]).alias.strategy).toBe("mirror");
  const error = thrownBy(() => resolveConfig({ alias: { strategy: "mirorr" } }, ["mirror", "none"]));
  expect(error.message).toBe(
    'alias.strategy must be one of "mirror", "none" (did you mean mirror?), got "mirorr"',
  );
});
