/** Registers and CPUID of random guests: most of them long mode's, some of them none's. */

import { type CpuidPart, FEATURE_NAMES } from "../cpuid.js";
import type { Random } from "../random.js";
import { hexOf } from "./arena.js";
import type { AskedStep } from "./ask.js";

type Sregs = NonNullable<AskedStep["sregs"]>;

const CR0_LONG = [
  0x8000_0001n,
  0x8000_0011n,
  0x8000_0031n,
  0x8001_0031n,
  0x8004_0031n,
  0x8005_0033n,
  0xe000_0031n,
];
const CR0_FLAT = [0n, 1n, 0x10n, 0x11n, 0x31n, 0x1_0031n, 0x6000_0010n];
/** PSE, PGE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, SMEP, SMAP, PKE: what an address may depend on, and what not. */
const CR4_BITS = [4n, 7n, 9n, 10n, 11n, 16n, 20n, 21n, 22n];
const PAE = 1n << 5n;
const LONG_MODE = 0x500n;
/** SCE, NX, SVME, LMSLE, FFXSR. */
const EFER_BITS = [0n, 11n, 12n, 13n, 14n];

export function randomRegisters(random: Random, root: bigint): Sregs {
  const kind = random.weighted([
    [40, longMode],
    [4, flat],
    [2, legacy],
    [4, flipped],
  ]);
  return kind(random, root);
}

function longMode(random: Random, root: bigint): Sregs {
  const csl = random.isOneIn(2) ? 1 : 0;
  const low = random.weighted([
    [6, 0n],
    [1, 0x18n],
    [1, 0xfffn],
  ]);
  return words(
    random.pick(CR0_LONG),
    root + low,
    PAE | someOf(random, CR4_BITS),
    LONG_MODE | efer(random),
    csl,
  );
}

function flat(random: Random, root: bigint): Sregs {
  const lme = random.pick([0n, 0x100n]);
  return words(random.pick(CR0_FLAT), root, someOf(random, CR4_BITS), lme | efer(random), 0);
}

/** Paging without long mode, as 32-bit and PAE guests have it. */
function legacy(random: Random, root: bigint): Sregs {
  const pae = random.pick([0n, PAE]);
  return words(random.pick(CR0_LONG), root % 2n ** 32n, pae | someOf(random, CR4_BITS), efer(random), 0);
}

/** One bit that no guest would set, or that one needs. */
function flipped(random: Random, root: bigint): Sregs {
  const { csl, ...good } = longMode(random, root);
  const name = random.pick(["cr0", "cr3", "cr4", "efer"] as const);
  const word = BigInt(good[name]) ^ (1n << BigInt(random.below(random.isOneIn(4) ? 64 : 32)));
  return { ...good, [name]: hexOf(word), csl: random.isOneIn(8) ? ((1 - csl) as 0 | 1) : csl };
}

function words(cr0: bigint, cr3: bigint, cr4: bigint, efer: bigint, csl: 0 | 1): Sregs {
  return { cr0: hexOf(cr0), cr3: hexOf(cr3), cr4: hexOf(cr4), efer: hexOf(efer), csl };
}

function efer(random: Random): bigint {
  return random.isOneIn(3) ? 0n : someOf(random, EFER_BITS) | (random.isOneIn(4) ? 0n : 1n << 11n);
}

function someOf(random: Random, bits: readonly bigint[]): bigint {
  return bits.filter(() => random.isOneIn(4)).reduce((sum, bit) => sum | (1n << bit), 0n);
}

export function randomCpuid(random: Random): CpuidPart {
  const width = random.weighted<number | null>([
    [8, 36],
    [8, 40],
    [6, 46],
    [6, 48],
    [6, 52],
    [3, random.between(24, 52)],
    [3, null],
    [1, random.pick([0, 12, 53, 64, 255])],
  ]);
  return {
    vendor: random.pick(["intel", "intel", "amd", "hygon", "other"]),
    maxphyaddr: width,
    feat: FEATURE_NAMES.filter((name) => name === "lm" || !random.isOneIn(4)),
  };
}
