/** What a VM holds, as text: a difference then reads by itself. */
import type { Vm } from "../../lib/index.js";

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** One line a leaf or MMIO entry, in order of address. */
export function leavesText(vm: Vm): string[] {
  const { gpa, level, spte } = vm.leaves({ mmio: true });
  return Array.from(gpa, (at, i) => `${hex(at)} level ${level[i]} ${hex(spte[i] as bigint)}`);
}
