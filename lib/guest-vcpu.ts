/** What a guest's vCPU pages by, in the words of its VMM, and how it crosses to the engine. */
import { expectInteger, expectKeys, expectOneOf, outOfRange, wrongType } from "./expect.js";

/** Control registers and what else decides a walk, as `KVM_GET_SREGS` and `KVM_GET_REGS` have them: 64 bits each. */
export interface GuestRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly rflags: bigint;
  /** Rights of protection keys, 32 bits. */
  readonly pkru: bigint;
  /** CS.L: 64-bit code. */
  readonly code64: boolean;
}

/** Features that a walk, or a bit of CR4, asks the guest's CPUID for. */
export const GUEST_FEATURES = [
  "pdpe1gb",
  "umip",
  "la57",
  "vmx",
  "fsgsbase",
  "pcid",
  "xsave",
  "smep",
  "smap",
  "pku",
  "lam",
] as const;
export type GuestFeature = (typeof GUEST_FEATURES)[number];

/** What the guest's CPUID says. */
export interface GuestCpuid {
  /**
   * The low byte of leaf 0x80000008 EAX, 0 to 255; null where the guest has no such leaf, which counts as 36.
   *
   * @default the lowest alias bit, or `addressBits`
   */
  readonly maxphyaddr?: number | null;
  /** AMD and Hygon reserve bit 8 of the upper tables. @default the host's */
  readonly vendor?: "intel" | "amd" | "hygon" | "other";
  /** @default all of {@link GUEST_FEATURES} */
  readonly features?: readonly GuestFeature[];
}

/** Tables under the guest's own, which a hypervisor inside the guest has made. */
export type NestedPaging =
  | {
      readonly kind: "ept";
      /** Bits 2:0 the memory type, 0 or 6; 5:3 the depth less 1; 6 turns Accessed and Dirty on; 51:12 the table. */
      readonly eptp: bigint;
      /** What the guest's IA32_VMX_EPT_VPID_CAP offers. @default true, each */
      readonly has2m?: boolean;
      readonly has1g?: boolean;
      readonly hasExecuteOnly?: boolean;
    }
  | ({ readonly kind: "npt" } & Partial<GuestRegisters>);

const AT_RESET: GuestRegisters = {
  cr0: 0x60000010n,
  cr3: 0n,
  cr4: 0n,
  efer: 0n,
  rflags: 2n,
  pkru: 0n,
  code64: false,
};
const WORDS = ["cr0", "cr3", "cr4", "efer", "rflags", "pkru"] as const;
const REGISTERS = [...WORDS, "code64"];
const VENDORS = ["intel", "amd", "hygon", "other"] as const;
const EPT_KEYS = ["kind", "eptp", "has2m", "has1g", "hasExecuteOnly"];
const CPUID_KEYS = ["maxphyaddr", "vendor", "features"];
const U8 = 255;

/** An integer in [0, 2^64), as a bigint. */
export function word(option: string, value: unknown): bigint {
  if (typeof value === "number") return BigInt(expectInteger(option, value, 0, Number.MAX_SAFE_INTEGER));
  if (typeof value !== "bigint") throw wrongType(option, "a bigint, or a number that is an integer", value);
  if (value < 0n || value >= 1n << 64n) throw outOfRange(option, "an integer in [0, 2^64)", value);
  return value;
}

/** The registers that are not given are those of `now`. */
export function wordsOf(
  given: Partial<GuestRegisters>,
  now: GuestRegisters,
  keys = REGISTERS,
): BigUint64Array {
  expectKeys("registers", given, keys);
  const words = WORDS.map((name) => word(name, given[name] ?? now[name]));
  const [pkru] = words.slice(-1);
  if (pkru !== undefined && pkru >= 1n << 32n) throw outOfRange("pkru", "an integer in [0, 2^32)", pkru);
  const { code64 = now.code64 } = given;
  if (typeof code64 !== "boolean") throw wrongType("code64", "a boolean", code64);
  return BigUint64Array.from([...words, code64 ? 1n : 0n]);
}

export function registersOf(words: BigUint64Array): GuestRegisters {
  const [cr0, cr3, cr4, efer, rflags, pkru, code64] = words as unknown as bigint[];
  return { ...AT_RESET, ...({ cr0, cr3, cr4, efer, rflags, pkru } as GuestRegisters), code64: code64 === 1n };
}

/** `usual`: what a VMM would say to a guest of this VM. */
export function cpuidOf(given: GuestCpuid, usual: { readonly maxphyaddr: number; readonly isAmd: boolean }) {
  expectKeys("cpuid", given, CPUID_KEYS);
  const { maxphyaddr = usual.maxphyaddr, vendor, features = GUEST_FEATURES } = given;
  if (vendor !== undefined) expectOneOf("vendor", vendor, VENDORS);
  if (!Array.isArray(features)) throw wrongType("features", "an array of feature names", features);
  for (const feature of features) expectOneOf("features", feature, GUEST_FEATURES);
  return {
    maxphyaddr: maxphyaddr === null ? undefined : expectInteger("maxphyaddr", maxphyaddr, 0, U8),
    isAmd: vendor === undefined ? usual.isAmd : vendor === "amd" || vendor === "hygon",
    features: GUEST_FEATURES.reduce((bits, each, at) => bits + (features.includes(each) ? 2 ** at : 0), 0),
  };
}

export function nestedWords(nested: NestedPaging): BigUint64Array {
  if (nested.kind === "npt") return wordsOf(nested, AT_RESET, ["kind", ...REGISTERS]);
  expectOneOf("kind", nested.kind, ["ept", "npt"] as const);
  expectKeys("nested", nested, EPT_KEYS);
  const { has2m = true, has1g = true, hasExecuteOnly = true } = nested;
  const bits = [has2m, has1g, hasExecuteOnly].reduce((sum, has, at) => sum + (has ? 2 ** at : 0), 0);
  return BigUint64Array.of(word("eptp", nested.eptp), BigInt(bits));
}
