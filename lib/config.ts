/**
 * The configuration of a VM: defaults, every check, and every sentence.
 *
 * Written by hand: each refusal names the option, what was expected and what
 * came. It must not know the engine; what exists there (strategy names) is
 * passed in.
 */
import { GiB, MAX_ADDRESS_BITS, MiB, TiB } from "./address.js";
import { expectInteger, expectKeys, expectOneOf, outOfRange } from "./expect.js";

/** How guest-physical addresses alias each other. */
export interface AliasConfig {
  /** How the MMU treats alias bits. @default "none" */
  readonly strategy?: string;
  /** Which address bits are alias bits. @default "none" */
  readonly preset?: string;
}

/** Every field is optional: `createVm()` is a VM with 48-bit addresses and no aliases. */
export interface VmConfig {
  /** How many bits a gpa has, those that alias included: 32 to 52. @default 48 */
  readonly addressBits?: number;
  /** Levels of page tables, the root's among them; 4 reach 2^48. @default 5 if `addressBits` is above 48, else 4 */
  readonly rootLevel?: 4 | 5;
  /**
   * Physical width of the modelled host (CPUID 0x80000008 EAX[7:0]): 36 to 52
   * and at least `addressBits`. It bounds the gfns that KVM maps.
   * @default 46, or `addressBits` if that is larger
   */
  readonly hostMaxphyaddr?: number;
  /** Virtual CPUs: 1 to 65536. @default 1 */
  readonly vcpus?: number;
  readonly alias?: AliasConfig;
  /** Which of KVM's MMUs is modelled. @default "tdp" */
  readonly mmu?: "tdp";
  /** Most memory that page tables may take, in bytes: 2 MiB to 16 TiB. @default 16 GiB */
  readonly arenaBytes?: number;
}

/** A configuration with every default filled in. */
export interface ResolvedVmConfig {
  readonly addressBits: number;
  readonly rootLevel: 4 | 5;
  readonly hostMaxphyaddr: number;
  readonly vcpus: number;
  readonly alias: Required<AliasConfig>;
  readonly mmu: "tdp";
  readonly arenaBytes: number;
}

const KEYS = ["addressBits", "rootLevel", "hostMaxphyaddr", "vcpus", "alias", "mmu", "arenaBytes"] as const;
const ALIAS_KEYS = ["strategy", "preset"] as const;
const PRESETS = ["none"] as const;
const FLAVOURS = ["tdp"] as const;
const FOUR_LEVEL_BITS = 48;
const DEFAULT_HOST_BITS = 46;

/**
 * Fills in defaults and checks every value.
 *
 * @param strategies names that exist, from the engine's own list
 * @throws TypeError or RangeError with code `ERR_CONFIG`
 */
export function resolveConfig(
  config: VmConfig = {},
  strategies: readonly string[] = ["none"],
): ResolvedVmConfig {
  expectKeys("config", config, KEYS);
  const addressBits = expectInteger("addressBits", config.addressBits ?? 48, 32, MAX_ADDRESS_BITS);
  return {
    addressBits,
    rootLevel: rootLevelOf(config.rootLevel, addressBits),
    hostMaxphyaddr: hostWidthOf(config.hostMaxphyaddr, addressBits),
    vcpus: expectInteger("vcpus", config.vcpus ?? 1, 1, 65_536),
    alias: aliasOf(config.alias ?? {}, strategies),
    mmu: expectOneOf("mmu", config.mmu ?? "tdp", FLAVOURS),
    arenaBytes: expectInteger("arenaBytes", config.arenaBytes ?? 16 * GiB, 2 * MiB, 16 * TiB),
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

function aliasOf(alias: AliasConfig, strategies: readonly string[]): Required<AliasConfig> {
  expectKeys("alias", alias, ALIAS_KEYS);
  return {
    strategy: expectOneOf("alias.strategy", alias.strategy ?? "none", strategies),
    preset: expectOneOf("alias.preset", alias.preset ?? "none", PRESETS),
  };
}
