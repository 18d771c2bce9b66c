/**
 * Which present entries of EPT are misconfigured, and which accesses the sound ones forbid.
 * KVM: reset_rsvds_bits_mask_ept(), update_permission_bitmask() (v6.16).
 */
import { FETCH, type Grant, USER, WRITE } from "./access.js";
import { bits, has } from "./bits.js";
import { EPT_EXECUTE, EPT_LARGE, EPT_READ, EPT_RWX, EPT_WRITE } from "./ept-entries.js";
import { type Features, unusedAddressBits } from "./features.js";

/** What VMX tells L1 that its EPT can do. */
export interface EptCapabilities {
  readonly executeOnly: boolean;
  readonly twoMegabytes: boolean;
  readonly oneGigabyte: boolean;
}

const hasSize = (level: number, { oneGigabyte, twoMegabytes }: EptCapabilities): boolean =>
  level === 3 ? oneGigabyte : twoMegabytes;

/** A large page has no PAT in bit 12, so that all bits below its size are reserved; a link has no memory type. */
export function reservedInEpt(
  features: Features,
  capabilities: EptCapabilities,
  level: number,
  isLarge: boolean,
): bigint {
  const beyond = unusedAddressBits({ ...features, stolen: 0n }, 51);
  if (level === 1) return beyond;
  if (level >= 4) return beyond | bits(7, 3);
  const noSuchSize = hasSize(level, capabilities) ? 0n : EPT_LARGE;
  return beyond | noSuchSize | (isLarge ? bits(level === 3 ? 29 : 20, 12) : bits(6, 3));
}

/** Bits 5:3; 2, 3 and 7 are no memory types. */
const NO_TYPES = [2n, 3n, 7n];
const hasBadType = (entry: bigint): boolean => NO_TYPES.includes((entry & bits(5, 3)) >> 3n);

/** What may be written must be readable; what may only be executed needs a processor that can tell. */
function hasBadRights(entry: bigint, { executeOnly }: EptCapabilities): boolean {
  const rights = entry & EPT_RWX;
  if (rights === EPT_EXECUTE) return !executeOnly;
  return has(rights, EPT_WRITE) && !has(rights, EPT_READ);
}

export const isMisconfigured = (
  features: Features,
  capabilities: EptCapabilities,
  entry: bigint,
  level: number,
): boolean =>
  has(entry, reservedInEpt(features, capabilities, level, has(entry, EPT_LARGE))) ||
  hasBadType(entry) ||
  hasBadRights(entry, capabilities);

/** No control bit has a say. USER in the access says that it reads. */
export const isForbiddenByEpt = (granted: Grant, access: bigint): boolean =>
  (has(access, FETCH) && !granted.execute) ||
  (has(access, WRITE) && !granted.write) ||
  (has(access, USER) && !granted.user);
