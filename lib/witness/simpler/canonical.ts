/** Addresses without their alias, by the preset of a story's VM. */
import type { VmConfig } from "../../config/types.js";
import { aliasPreset } from "../../vm.js";

/** Bytes that lie below every alias bit: what is above says which alias. */
export function aliasBytesOf({ alias }: VmConfig): number {
  return aliasPreset(alias?.preset).aliases[1] ?? 2 ** 52;
}

export function canonicalOf(config: VmConfig): (gpa: number) => number {
  const bytes = aliasBytesOf(config);
  return (gpa) => gpa % bytes;
}
