/**
 * The option `tlb`: a switch, a size, arrays, or the name of a real part.
 *
 * A VM's TLB is arrays and caches in the end, whoever wrote them; only the
 * old, simple form keeps its shape, so that results of it stay what they were.
 */
import { expectInteger, expectKeys, expectOneOf, outOfRange, show, wrongType } from "../expect.js";
import { TLB_PRESETS } from "./tlb-presets.js";
import type {
  PagingStructureCaches,
  ResolvedTlb,
  ResolvedTlbArrays,
  TlbArray,
  TlbConfig,
  TlbPageSize,
} from "./types.js";

const DEFAULT_TLB = { entries: 1536, ways: 12 } as const;
const MAX_ENTRIES = 2 ** 20;
const MAX_WAYS = 64;
const MAX_ARRAYS = 8;
const MAX_LINKS = 64;
const SIZES: readonly TlbPageSize[] = ["4K", "2M", "1G"];
const LEVELS = ["pde", "pdpte", "pml4e", "pml5e"] as const;
const NO_LINKS: Required<PagingStructureCaches> = { pde: 0, pdpte: 0, pml4e: 0, pml5e: 0 };
const FORMS = "true, false, a preset's name, or an object with entries and ways or with arrays";

/** The TLB of each vCPU, or false for none. */
export function tlbOf(value: unknown): ResolvedTlb {
  if (value === undefined || value === false) return false;
  if (value === true) return DEFAULT_TLB;
  if (typeof value === "string") return presetTlb(value);
  if (typeof value !== "object" || value === null) throw wrongType("tlb", FORMS, value);
  return "arrays" in value ? arraysTlb(value) : smallTlb(value);
}

function presetTlb(name: string): ResolvedTlbArrays {
  const names = TLB_PRESETS.map((preset) => preset.name);
  const found = TLB_PRESETS[names.indexOf(expectOneOf("tlb", name, names))];
  if (found === undefined) throw new Error(`no TLB preset ${show(name)}`);
  const { arrays, pagingStructureCaches } = found;
  return { preset: name, arrays, pagingStructureCaches: { ...NO_LINKS, ...pagingStructureCaches } };
}

function smallTlb(value: object): Required<TlbConfig> {
  expectKeys("tlb", value, ["entries", "ways"]);
  const given = value as TlbConfig;
  return sizeOf("tlb", { ...DEFAULT_TLB, ...given });
}

function sizeOf(option: string, given: { entries: unknown; ways: unknown }): Required<TlbConfig> {
  const ways = expectInteger(`${option}.ways`, given.ways, 1, MAX_WAYS);
  const entries = expectInteger(`${option}.entries`, given.entries, 1, MAX_ENTRIES);
  if (entries % ways === 0) return { entries, ways };
  throw outOfRange(`${option}.entries`, `a multiple of ${option}.ways, which is ${ways}`, entries);
}

function arraysTlb(value: object): ResolvedTlbArrays {
  // What a result prints can be asked for again.
  expectKeys("tlb", value, ["arrays", "pagingStructureCaches", "preset"]);
  const { arrays, pagingStructureCaches, preset } = value as Record<string, unknown>;
  if (preset !== undefined) return sameAsPreset(value, preset);
  if (!Array.isArray(arrays)) throw wrongType("tlb.arrays", "an array", arrays);
  if (arrays.length < 1 || arrays.length > MAX_ARRAYS)
    throw outOfRange("tlb.arrays", `1 to ${MAX_ARRAYS} arrays`, arrays.length);
  const resolved = arrays.map((each, i) => arrayOf(`tlb.arrays[${i}]`, each));
  if (!resolved.some(({ sizes }) => sizes.includes("4K")))
    throw outOfRange("tlb.arrays", "arrays of which one holds 4K pages", arrays);
  return { arrays: resolved, pagingStructureCaches: linksOf(pagingStructureCaches) };
}

function sameAsPreset(value: object, name: unknown): ResolvedTlbArrays {
  if (typeof name !== "string") throw wrongType("tlb.preset", "a string", name);
  const preset = presetTlb(name);
  const { preset: _, ...rest } = value as ResolvedTlbArrays;
  const { preset: __, ...meant } = preset;
  if (JSON.stringify(arraysTlb(rest)) === JSON.stringify(arraysTlb(meant))) return preset;
  throw outOfRange("tlb.preset", "absent, or the name of a preset that has just these arrays", name);
}

function arrayOf(option: string, value: unknown): TlbArray {
  expectKeys(option, value, ["entries", "ways", "sizes"]);
  const { entries, ways, sizes } = value as Record<string, unknown>;
  if (!Array.isArray(sizes)) throw wrongType(`${option}.sizes`, "an array", sizes);
  const held = sizes.map((size, i) => expectOneOf(`${option}.sizes[${i}]`, size, SIZES));
  if (held.length === 0 || new Set(held).size !== held.length)
    throw outOfRange(`${option}.sizes`, "one or more sizes, none of them twice", sizes);
  return { ...sizeOf(option, { entries, ways }), sizes: SIZES.filter((size) => held.includes(size)) };
}

function linksOf(value: unknown): Required<PagingStructureCaches> {
  if (value === undefined) return NO_LINKS;
  expectKeys("tlb.pagingStructureCaches", value, LEVELS);
  const given = value as PagingStructureCaches;
  const counts = LEVELS.map((level) => {
    const option = `tlb.pagingStructureCaches.${level}`;
    return [level, expectInteger(option, given[level] ?? 0, 0, MAX_LINKS)];
  });
  return Object.fromEntries(counts) as Required<PagingStructureCaches>;
}

/** Its arrays, whichever way it was written; none for no TLB. */
export function arraysOf(tlb: ResolvedTlb): Omit<ResolvedTlbArrays, "preset"> {
  if (tlb === false) return { arrays: [], pagingStructureCaches: NO_LINKS };
  if ("arrays" in tlb) return tlb;
  return { arrays: [{ ...tlb, sizes: ["4K"] }], pagingStructureCaches: NO_LINKS };
}
