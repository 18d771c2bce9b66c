/**
 * Bits that a present entry must not set, by mode, level and bit 7.
 * KVM: __reset_rsvds_bits_mask() (v6.16); 4 MiB pages always count as PSE-36.
 */
import { bit, bits, has } from "./bits.js";
import { NO_EXECUTE, PAGE_SIZE } from "./entries.js";
import { type Features, unusedAddressBits } from "./features.js";
import type { Shape } from "./modes.js";
import { hasLargePages, hasNoExecute, type Registers } from "./registers.js";

/** Bits of a large page's address below its size; bit 12 is PAT. */
const unalignedBits = (level: number): bigint => bits(level === 3 ? 29 : 20, 13);

const reservedIn32Bit = (registers: Registers, level: number, isLarge: boolean): bigint =>
  level === 2 && isLarge && hasLargePages(registers) ? bits(21, 17) : 0n;

const reservedInLongMode = (features: Features, level: number, isLarge: boolean): bigint => {
  if (level >= 4) return PAGE_SIZE | (features.isAmd ? bit(8) : 0n);
  const noSuchSize = level === 3 && !features.hasGigabytePages ? PAGE_SIZE : 0n;
  return noSuchSize | (isLarge && level > 1 ? unalignedBits(level) : 0n);
};

export function reservedBits(
  shape: Shape,
  registers: Registers,
  features: Features,
  level: number,
  isLarge: boolean,
): bigint {
  if (shape.mode === "32-bit") return reservedIn32Bit(registers, level, isLarge);
  const withoutNx = hasNoExecute(registers) ? 0n : NO_EXECUTE;
  // PAE reserves bits 62:52 too, which long mode leaves to software and keys.
  if (shape.mode === "pae") {
    const unaligned = isLarge && level === 2 ? unalignedBits(2) : 0n;
    return withoutNx | unusedAddressBits(features, 62) | unaligned;
  }
  return withoutNx | unusedAddressBits(features, 51) | reservedInLongMode(features, level, isLarge);
}

export const breaksReserved = (
  shape: Shape,
  registers: Registers,
  features: Features,
  entry: bigint,
  level: number,
): boolean => has(entry, reservedBits(shape, registers, features, level, has(entry, PAGE_SIZE)));

/** Asked when PAE's four root entries are loaded, not in the walk. KVM: pdptr_rsvd_bits(). */
export const reservedInPdpte = (features: Features): bigint =>
  unusedAddressBits(features, 63) | bits(8, 5) | bits(2, 1);
