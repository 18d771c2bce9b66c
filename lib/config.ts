/**
 * The configuration of a VM resolved: every default filled in, every value
 * checked, also against each other.
 *
 * Each refusal names the option, what was expected and what came. What
 * strategies and presets are is the engine's knowledge; it is asked.
 */
import { GiB, KiB, MAX_ADDRESS_BITS, TiB } from "./address.js";
import { type ConfigEngine, expectApplicable, fixedBy, presetOf, strategyOf } from "./config/engine.js";
import { booleanOf, externalTablesOf, flushProviderOf, guestPagingOf } from "./config/fields.js";
import { hostOf, KERNELS } from "./config/host.js";
import { tlbOf } from "./config/tlb.js";
import type { Flavour, ResolvedVmConfig, VmConfig } from "./config/types.js";
import { expectInteger, expectKeys, expectOneOf, outOfRange } from "./expect.js";
import type { NativePreset } from "./native/addon-types.js";

export { unusual } from "./config/host.js";
export type * from "./config/types.js";

const KEYS = [
  "addressBits",
  "rootLevel",
  "hostMaxphyaddr",
  "vcpus",
  "alias",
  "mmu",
  "flushProvider",
  "tlb",
  "internalSlots",
  "guestPaging",
  "externalTables",
  "convertOnExit",
  "kernel",
  "host",
  "arenaBytes",
] as const;
const ALIAS_KEYS = ["strategy", "preset"] as const;
const FLAVOURS: readonly Flavour[] = ["tdp", "rmap"];
const FOUR_LEVEL_BITS = 48;
const DEFAULT_HOST_BITS = 46;

/**
 * Fills in defaults and checks every value.
 *
 * @throws TypeError or RangeError with code `ERR_CONFIG`; MmuError
 * `ERR_UNSUPPORTED` for values that are right each, and not together
 */
export function resolveConfigWith(engine: ConfigEngine, config: VmConfig = {}): ResolvedVmConfig {
  const resolved = resolveAny(engine, config);
  expectApplicable(engine, resolved);
  return resolved;
}

/** The same, for who asks the engine himself whether it can make such a VM. */
export function resolveAny(engine: ConfigEngine, config: VmConfig): ResolvedVmConfig {
  expectKeys("config", config, KEYS);
  const alias = config.alias ?? {};
  expectKeys("alias", alias, ALIAS_KEYS);
  const strategy = strategyOf(engine, alias.strategy);
  const preset = presetOf(engine, alias.preset);
  return {
    ...widthsOf(config, preset),
    vcpus: expectInteger("vcpus", config.vcpus ?? 1, 0, 65_536),
    alias: { strategy, preset: preset.preset },
    mmu: expectOneOf("mmu", config.mmu ?? "tdp", FLAVOURS),
    flushProvider: flushProviderOf(config.flushProvider),
    tlb: tlbOf(config.tlb),
    internalSlots: booleanOf("internalSlots", config.internalSlots),
    guestPaging: guestPagingOf(config.guestPaging),
    externalTables: externalTablesOf(config.externalTables),
    convertOnExit: booleanOf("convertOnExit", config.convertOnExit),
    kernel: expectOneOf("kernel", config.kernel ?? "6.16", KERNELS),
    host: hostOf(config.host),
    arenaBytes: expectInteger("arenaBytes", config.arenaBytes ?? 16 * GiB, 256 * KiB, 16 * TiB),
  };
}

function widthsOf(
  config: VmConfig,
  preset: NativePreset,
): Pick<ResolvedVmConfig, "addressBits" | "rootLevel" | "hostMaxphyaddr"> {
  const asked = fixedBy(preset, "addressBits", preset.addressBits, config.addressBits);
  const addressBits = expectInteger("addressBits", asked ?? 48, 32, MAX_ADDRESS_BITS);
  const level = fixedBy(preset, "rootLevel", preset.rootLevel, config.rootLevel);
  return {
    addressBits,
    rootLevel: rootLevelOf(level, addressBits),
    hostMaxphyaddr: hostWidthOf(config.hostMaxphyaddr, addressBits),
  };
}

function rootLevelOf(rootLevel: unknown, addressBits: number): 4 | 5 {
  if (rootLevel === undefined) return addressBits <= FOUR_LEVEL_BITS ? 4 : 5;
  const level = expectInteger("rootLevel", rootLevel, 4, 5) as 4 | 5;
  if (level === 4 && addressBits > FOUR_LEVEL_BITS) {
    throw outOfRange("rootLevel", `5 when addressBits is ${addressBits}, as 4 levels hold 48 bits`, level);
  }
  return level;
}

function hostWidthOf(width: unknown, addressBits: number): number {
  if (width === undefined) return Math.max(DEFAULT_HOST_BITS, addressBits);
  const host = expectInteger("hostMaxphyaddr", width, 36, MAX_ADDRESS_BITS);
  if (host >= addressBits) return host;
  throw outOfRange("hostMaxphyaddr", `at least addressBits, which is ${addressBits}`, host);
}
