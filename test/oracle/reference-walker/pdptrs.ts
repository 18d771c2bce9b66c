/** PAE's four root entries, which a vCPU reads once when CR3 is loaded. KVM: load_pdptrs() (v6.16). */
import { bits, has } from "./bits.js";
import { isPresent } from "./entries.js";
import type { Features } from "./features.js";
import type { Registers } from "./registers.js";
import { reservedInPdpte } from "./reserved-bits.js";
import type { TableMemory } from "./table-memory.js";

export type Pdptrs = readonly [bigint, bigint, bigint, bigint];

export const NO_PDPTRS: Pdptrs = [0n, 0n, 0n, 0n];

/** Undefined if one cannot be read or is malformed: the vCPU keeps those that it has. */
export function loadPdptrs(memory: TableMemory, { cr3 }: Registers, features: Features): Pdptrs | undefined {
  const table = cr3 & bits(31, 5);
  const read = [0n, 8n, 16n, 24n].map((offset) => memory.read(table + offset, 8));
  const reserved = reservedInPdpte(features);
  const isGood = read.every((each) => each !== undefined && !(isPresent(each) && has(each, reserved)));
  return isGood ? (read as unknown as Pdptrs) : undefined;
}
