/**
 * Rights as KVM's table of 16 bytes has them: a byte for each of W, U, "SMAP is suspended" and F of the
 * access, in it a bit for each set of X, W and U that the entries leave.
 */
import {
  CR0_WP,
  CR4_PKE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_NX,
  type Registers,
} from "../reference-walker/registers.js";

/** Of the eight sets of rights those that hold X, W, U. */
const [WITH_X, WITH_W, WITH_U] = [0xaa, 0xcc, 0xf0];
const BYTE = 0xff;
const [W, U, SUSPENDED, F] = [1, 2, 4, 8];

export function permissionBytes({ cr0, cr4, efer }: Registers): Uint8Array {
  const wp = (cr0 & CR0_WP) !== 0n;
  const [smep, smap] = [(cr4 & CR4_SMEP) !== 0n, (cr4 & CR4_SMAP) !== 0n];
  const nx = (efer & EFER_NX) !== 0n;
  return Uint8Array.from({ length: 16 }, (_, index) => {
    const [write, user, fetch] = [(index & W) !== 0, (index & U) !== 0, (index & F) !== 0];
    let byte = user ? ~WITH_U : 0;
    if (write && (user || wp)) byte |= ~WITH_W;
    if (fetch && nx) byte |= ~WITH_X;
    if (!user && fetch && smep) byte |= WITH_U;
    if (!user && !fetch && smap && (index & SUSPENDED) === 0) byte |= WITH_U;
    return byte & BYTE;
  });
}

/** Bits 1:0 of a key's rights that count for data of a user's page: AD always, WD for a write that heeds it. */
export function keyMask({ cr0, cr4, efer }: Registers, write: boolean, user: boolean): number {
  if ((cr4 & CR4_PKE) === 0n || (efer & EFER_LMA) === 0n) return 0;
  return write && (user || (cr0 & CR0_WP) !== 0n) ? 3 : 1;
}
