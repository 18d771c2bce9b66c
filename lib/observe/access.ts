/** What a recorded error code says about the access: an exit qualification under EPT, an NPF code under NPT. */
import type { EntryVendor } from "./entry.js";

export type FaultAccess = "read" | "write" | "fetch";

const bit = (n: number): bigint => 1n << BigInt(n);

/** Bits of either code; everything but a write or a fetch is a read. */
const WRITE = bit(1);
const FETCH: Readonly<Record<EntryVendor, bigint>> = { ept: bit(2), npt: bit(4) };

export function accessOf(vendor: EntryVendor, code: bigint): FaultAccess {
  if ((code & WRITE) !== 0n) return "write";
  return (code & FETCH[vendor]) !== 0n ? "fetch" : "read";
}
