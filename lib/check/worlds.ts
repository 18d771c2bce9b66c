/**
 * The small worlds that a strategy is looked at in: each preset that it
 * supports, on 4K and on 2M pages, without a range provider, with one that
 * works and with ones that fail; and one world each with memory types, with
 * KVM's own slots, on a host without A/D bits and on one whose hardware logs
 * dirty pages, and with vCPUs that cache more than 4K translations. What the
 * engine cannot make is left out.
 */
import { KiB } from "../address.js";
import { inapplicable } from "../config/engine.js";
import type { TlbArraysConfig, VmConfig } from "../config/types.js";
import { resolveAny } from "../config.js";
import { MEMSLOT_FLAGS } from "../memslot-numbers.js";
import type { NativeAddon, NativePreset } from "../native/addon-types.js";
import { type CheckStep, type OperationKind, type Setting, SLOT, type SmallWorld, VCPUS } from "./world.js";

/** Of every kind one; of attributes with rights of its own and without. */
const PRESETS = ["bits:47", "xo:47", "tdx47"];
const PROVIDERS = ["none", "hyperv", "fail:2", "fail:3"];

// Room for every translation of a world: which one is the oldest never matters.
const TLB = { entries: 64, ways: 16 };
const LARGE_TLB: TlbArraysConfig = {
  arrays: [{ ...TLB, sizes: ["4K", "2M"] }],
  pagingStructureCaches: { pde: 16, pdpte: 16, pml4e: 16 },
};

/** Every world of a strategy under a flavour. */
export function worldsOf(
  addon: NativeAddon,
  kinds: readonly OperationKind[],
  strategy: string,
  mmu: "tdp" | "rmap",
): SmallWorld[] {
  return PRESETS.map((preset) => addon.preset(preset))
    .flatMap((preset) => settingsOf(strategy, mmu, preset))
    .filter((setting) => inapplicable(addon, resolveAny(addon, configOf(setting))) === undefined)
    .map((setting) => worldOf(setting, kinds));
}

function settingsOf(strategy: string, mmu: "tdp" | "rmap", preset: NativePreset): Setting[] {
  const common = {
    ...{ strategy, mmu, preset: preset.preset, kind: preset.kind as Setting["kind"] },
    ...{ isExecuteOnly: preset.executeOnly, aliases: [...preset.aliases] },
    ...{ flushProvider: "none", memoryTypes: false, internalSlots: false },
    ...{ adBits: true, pml: false, largeTlb: false },
  };
  return [
    ...([1, 2] as const).flatMap((backing) =>
      PROVIDERS.map((flushProvider) => ({ ...common, backing, flushProvider })),
    ),
    { ...common, backing: 2, memoryTypes: true },
    { ...common, backing: 1, internalSlots: true },
    { ...common, backing: 1, adBits: false },
    { ...common, backing: 2, pml: true },
    { ...common, backing: 2, flushProvider: "hyperv", largeTlb: true },
  ];
}

function configOf(setting: Setting): VmConfig {
  const { strategy, preset, mmu, flushProvider, internalSlots, memoryTypes, adBits, pml } = setting;
  return {
    ...{ mmu, flushProvider, internalSlots, vcpus: VCPUS, arenaBytes: 256 * KiB },
    alias: { strategy, preset },
    tlb: setting.largeTlb ? LARGE_TLB : TLB,
    host: { memoryTypes, adBits, pml },
  };
}

/** Huge pages are there until logging begins; small ones are logged from the start. */
const setupOf = ({ backing }: Setting): CheckStep[] => [
  { is: "memslot", ...SLOT, flags: backing === 1 ? MEMSLOT_FLAGS.logDirty : 0, backing },
];

function worldOf(setting: Setting, kinds: readonly OperationKind[]): SmallWorld {
  return {
    name: nameOf(setting),
    config: configOf(setting),
    setup: setupOf(setting),
    operations: kinds.flatMap((kind) => kind(setting)),
  };
}

function nameOf(setting: Setting): string {
  const { preset, backing, flushProvider } = setting;
  const provider = flushProvider === "none" ? [] : [flushProvider];
  return [preset, backing === 1 ? "4K" : "2M", ...provider, ...unusual(setting)].join(", ");
}

const unusual = ({ memoryTypes, internalSlots, adBits, pml, largeTlb }: Setting): string[] => [
  ...(memoryTypes ? ["memory types"] : []),
  ...(internalSlots ? ["internal slots"] : []),
  ...(adBits ? [] : ["no A/D bits"]),
  ...(pml ? ["PML"] : []),
  ...(largeTlb ? ["2M entries and links cached"] : []),
];
