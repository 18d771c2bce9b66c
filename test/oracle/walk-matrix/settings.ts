/** Registers and CPUID of a batch: every combination of control bits in turn, what CPUID says at random. */
import type { Random } from "../../support/random.js";
import { bit } from "../reference-walker/bits.js";
import type { Features } from "../reference-walker/features.js";
import type { Shape } from "../reference-walker/modes.js";
import {
  AT_RESET,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_LA57,
  CR4_PAE,
  CR4_PKE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
  EFER_NX,
  type Registers,
  RFLAGS_AC,
} from "../reference-walker/registers.js";
import { CASES, CASES_A_SETTING, PAGE, ROOTS, TABLES } from "./batch.js";

export const MODES: readonly Shape["mode"][] = ["4-level", "5-level", "pae", "32-bit"];
export const SETTINGS = CASES / CASES_A_SETTING;
/** The level of the first table in memory. */
export const TOP: Readonly<Record<Shape["mode"], number>> = {
  "32-bit": 2,
  pae: 2,
  "4-level": 4,
  "5-level": 5,
};

/** Edges, as the kernels and parts that there are have them. */
const NO_LEAF = 0;
const WIDTHS = [NO_LEAF, 36, 39, 40, 46, 47, 48, 51, 52];
const STOLEN = [0n, 0n, 0n, bit(47), bit(51)];

export const featuresFor = (random: Random, mode: Shape["mode"]): Features => ({
  maxphyaddr: random.pick(WIDTHS) || undefined,
  isAmd: random.once(3),
  hasGigabytePages: !random.once(4),
  // No bit can be stolen from an entry of 4 bytes.
  stolen: mode === "32-bit" ? 0n : random.pick(STOLEN),
});

const long = EFER_LME | EFER_LMA;
const OWN: Record<Shape["mode"], { readonly cr4: bigint; readonly efer: bigint }> = {
  "32-bit": { cr4: 0n, efer: 0n },
  pae: { cr4: CR4_PAE, efer: 0n },
  "4-level": { cr4: CR4_PAE, efer: long },
  "5-level": { cr4: CR4_PAE | CR4_LA57, efer: long },
};

/** Each switch is one bit of a combination's number. */
const CR4_SWITCHES = [CR4_SMEP, CR4_SMAP, CR4_PKE, CR4_PSE];
export const COMBINATIONS = 2 ** (CR4_SWITCHES.length + 3);

export function registersFor(random: Random, mode: Shape["mode"], combination: number): Registers {
  const own = OWN[mode];
  const isOn = (n: number): boolean => ((combination >> n) & 1) !== 0;
  const cr4 = CR4_SWITCHES.reduce((all, each, n) => all | (isOn(n) ? each : 0n), own.cr4);
  const [wp, nx, ac] = [isOn(4), isOn(5), isOn(6)];
  const root = mode === "pae" ? ROOTS : TABLES + TOP[mode] * PAGE;
  return {
    cr0: CR0_PE | CR0_PG | (wp ? CR0_WP : 0n),
    cr3: BigInt(root) | (random.once(4) ? 0x18n : 0n),
    cr4,
    efer: own.efer | (nx ? EFER_NX : 0n),
    rflags: AT_RESET.rflags | (ac ? RFLAGS_AC : 0n),
    pkru: BigInt(random.below(2 ** 32)),
  };
}
