/** PAE's four root entries, which a vCPU reads once when CR3 is loaded. KVM: load_pdptrs() (v6.16). */
import { bits, has, PAGE_BYTES } from "./bits.js";
import { isPresent } from "./entries.js";
import type { Features } from "./features.js";
import type { Registers } from "./registers.js";
import { reservedInPdpte } from "./reserved-bits.js";
import { placedTable, type SecondLevel } from "./second-level.js";
import type { TableMemory } from "./table-memory.js";

export type Pdptrs = readonly [bigint, bigint, bigint, bigint];

export const NO_PDPTRS: Pdptrs = [0n, 0n, 0n, 0n];

/** Undefined if one cannot be read or is malformed: the vCPU keeps those that it has. */
export function loadPdptrs(
  memory: TableMemory,
  { cr3 }: Registers,
  features: Features,
  beneath?: SecondLevel,
): Pdptrs | undefined {
  const [page, offset] = [cr3 & bits(31, 12), cr3 & (PAGE_BYTES - 1n) & bits(31, 5)];
  const place = beneath === undefined ? { gpa: page } : placedTable(beneath, page);
  if ("fault" in place) return undefined;
  const table = place.gpa + offset;
  const read = [0n, 8n, 16n, 24n].map((at) => memory.read(table + at, 8));
  const reserved = reservedInPdpte(features);
  const isGood = read.every((each) => each !== undefined && !(isPresent(each) && has(each, reserved)));
  return isGood ? (read as unknown as Pdptrs) : undefined;
}
