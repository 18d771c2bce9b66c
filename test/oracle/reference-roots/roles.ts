/**
 * What makes one shadow page usable for another purpose or not, as the word
 * that KVM compares. KVM: kvm_calc_cpu_role(), kvm_init_shadow_mmu() (v6.16).
 */
import { modeOf } from "../reference-walker/modes.js";
import {
  hasNoExecute,
  hasSmap,
  hasSmep,
  heedsWriteProtect,
  type Registers,
} from "../reference-walker/registers.js";

/** Bits of the word; the level is in the lowest four. */
export const HAS_4_BYTE_GPTE = 1 << 4;
export const QUADRANT_SHIFT = 5;
export const DIRECT = 1 << 7;
export const ACCESS_ALL = 7 << 8;
export const EFER_NX = 1 << 12;
export const CR0_WP = 1 << 13;
export const SMEP_ANDNOT_WP = 1 << 14;
export const SMAP_ANDNOT_WP = 1 << 15;
const LEVEL = 15;

/** Tables of PAE: what shadows a guest that has none of 64 bits. */
export const PAE_LEVEL = 3;

const levels = { off: 0, "32-bit": 2, pae: 3, "4-level": 4, "5-level": 5 } as const;

export const isDirect = (role: number): boolean => (role & DIRECT) !== 0;
export const levelOf = (role: number): number => role & LEVEL;
export const atLevel = (role: number, level: number): number => (role & ~LEVEL) | level;
export const inQuadrant = (role: number, quadrant: number): number => role | (quadrant << QUADRANT_SHIFT);

/** Of the guest's own paging. With paging off nothing else of the registers counts. */
export function cpuRole(registers: Registers): number {
  const mode = modeOf(registers);
  if (mode === "off") return ACCESS_ALL | DIRECT;
  const wp = heedsWriteProtect(registers);
  const flags = [
    mode === "32-bit" && HAS_4_BYTE_GPTE,
    hasNoExecute(registers) && EFER_NX,
    wp && CR0_WP,
    hasSmep(registers) && !wp && SMEP_ANDNOT_WP,
    hasSmap(registers) && !wp && SMAP_ANDNOT_WP,
  ];
  return flags.reduce<number>((word, flag) => word | Number(flag), ACCESS_ALL | levels[mode]);
}

/** Of the tables that KVM makes: never less than PAE's, and with NX whatever the guest has. */
export function rootRole(registers: Registers): number {
  const role = cpuRole(registers);
  return atLevel(role, Math.max(levelOf(role), PAE_LEVEL)) | EFER_NX;
}

/** CR3 without what is no address. */
export const rootFrame = (cr3: bigint): bigint => (cr3 & 0x000f_ffff_ffff_f000n) >> 12n;
