/**
 * Every pair of strategy and flavour that exists, and random configurations of
 * each: presets, providers, TLBs, and whatever else a row has a say in. Speaks
 * the words of the reference model.
 */
import fc from "fast-check";
import { policies } from "../oracle/reference/policies.js";
import { type PresetKind, presetNamed, shapeOf } from "../oracle/reference/presets.js";
import { TLB_PRESET_NAMES, type TlbArrays, type TlbOption } from "../oracle/reference/tlb-shape.js";
import type { Flavour, Kernel, ReferenceConfig } from "../oracle/reference/types.js";

export interface Pair {
  readonly policy: string;
  readonly mmu: Flavour;
}

export const pairs: readonly Pair[] = Object.entries(policies).flatMap(([policy, { flavours }]) =>
  flavours.map((mmu) => ({ policy, mmu })),
);

export const pairName = ({ policy, mmu }: Pair): string => `${policy}/${mmu}`;

/** One bit or several; in the root's index, below it, and across it; four levels and five. */
const PRESETS: readonly string[] = [
  "none",
  ...["xo:47", "xo:38", "xo:51", "xo:31", "bits:47", "bits:46,47", "bits:47,48", "bits:48,49,50,51"],
  ...["tdx47", "tdx47", "tdx51", "hyperv:46", "vtom:0x400000000000", "cca:40"],
  ...["sev:47", "sev:51"],
];

const kindOf = (preset: string): PresetKind => presetNamed(preset).kind;

/** A width of any kind, for who has no alias bits. */
const freeShapes = fc
  .record({
    addressBits: fc.oneof(fc.constantFrom(36, 39, 46, 47, 48, 49, 51, 52), fc.integer({ min: 36, max: 52 })),
    isFiveLevel: fc.boolean(),
  })
  .map(({ addressBits, isFiveLevel }) => ({
    addressBits,
    rootLevel: addressBits > 48 || isFiveLevel ? 5 : 4,
  }));

/** Mostly as usual: each setting changes what all else meets. */
const seldom = (usual: boolean) => fc.constantFrom(usual, usual, usual, !usual);
const hosts = fc.record({
  adBits: seldom(true),
  nxHugePages: seldom(false),
  pml: seldom(false),
  eagerPageSplit: seldom(true),
  slotZapAll: seldom(true),
  asyncPageFaults: seldom(false),
  mmioCaching: seldom(true),
  apicv: seldom(true),
});

/** Few and small sets, so that entries are pushed out; and sometimes those of a real part. */
const tlbs = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<TlbOption | undefined>(undefined, { entries: 16, ways: 4 }) },
  {
    weight: 3,
    arbitrary: fc.record({
      arrays: fc.constantFrom<TlbArrays[]>(
        [{ entries: 12, ways: 3, sizes: ["4K", "2M", "1G"] }],
        [
          { entries: 8, ways: 2, sizes: ["4K", "2M"] },
          { entries: 6, ways: 2, sizes: ["4K", "1G"] },
        ],
        [
          { entries: 8, ways: 2, sizes: ["4K"] },
          { entries: 2, ways: 1, sizes: ["2M"] },
        ],
      ),
      pagingStructureCaches: fc.constantFrom({}, {}, { pde: 2, pdpte: 1 }, { pde: 4, pml4e: 1, pml5e: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...TLB_PRESET_NAMES) },
);

const options = (pair: Pair, preset: string) => {
  const policy = policies[pair.policy];
  const providers = policy?.takesRangeProvider ? ["none", "hyperv", "fail:2", "fail:3"] : ["none"];
  const externals = policy?.externalTables ? ["ok", "ok", "busy:2", "busy:3", "fail:5"] : ["ok"];
  return fc.record({
    shape: freeShapes,
    hostMore: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 16 })),
    vcpus: fc.integer({ min: 1, max: 2 }),
    flushProvider: fc.constantFrom(...providers),
    tlb: tlbs,
    // KVM's own slots lie below 4 GiB, and not among aliases.
    internalSlots: preset.endsWith(":31") ? fc.constant(false) : fc.boolean(),
    externalTables: fc.constantFrom(...externals),
    convertOnExit: fc.boolean(),
    kernel: fc.constantFrom<Kernel[]>("6.16", "6.16", "6.16", "5.10"),
    dirtyRing: fc.constantFrom(0, 0, 0, 4096, 16384),
    host: hosts,
    limitsPages: seldom(pair.mmu !== "rmap"),
    preset: fc.constant(preset),
  });
};

/** Configurations of a pair, over every preset that its row is for. */
export function configsOf(pair: Pair): fc.Arbitrary<ReferenceConfig> {
  const { presets: kinds = [], knowsAliases = false } = policies[pair.policy] ?? {};
  const presets = PRESETS.filter((preset) => kinds.includes(kindOf(preset)));
  // Who knows no alias finds only holes there.
  const preset = knowsAliases
    ? fc.constantFrom(...presets)
    : fc.oneof(
        { weight: 3, arbitrary: fc.constant("none") },
        { weight: 1, arbitrary: fc.constantFrom(...presets) },
      );
  return preset
    .chain((preset) => options(pair, preset))
    .map(({ shape: free, hostMore, preset, ...rest }) => {
      const shape = shapeOf(presetNamed(preset)) ?? free;
      // A ring has room for a whole write log, or it is refused.
      const smallest = rest.host.pml ? 16_384 : 0;
      const dirtyRing = rest.kernel === "5.10" || rest.dirtyRing < smallest ? 0 : rest.dirtyRing;
      const hostMaxphyaddr = Math.max(36, Math.min(shape.addressBits + hostMore, 52));
      return { ...pair, ...shape, hostMaxphyaddr, preset, ...rest, dirtyRing };
    });
}

/** Frames that have no alias bit: those of the whole width where no bit is one, or nobody minds. */
export function homeFramesOf({ preset = "none", addressBits }: ReferenceConfig): number {
  const [lowest = addressBits] = presetNamed(preset).bits;
  return 2 ** lowest / 4096;
}

/** Values of the alias bits. */
export function aliasCountOf({ preset = "none" }: ReferenceConfig): number {
  return 2 ** presetNamed(preset).bits.length;
}

/** Whether memory may be private under it. */
export function hasPrivateMemory({ preset = "none", policy }: ReferenceConfig): boolean {
  return kindOf(preset) === "private-shared" && policies[policy]?.knowsAliases === true;
}
