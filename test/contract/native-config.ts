/** Configs as the bare addon takes them: every option said. */
import { HOST_DEFAULTS } from "../../lib/config/host.js";
import { loadAddon } from "../../lib/native/addon.js";
import type { NativeVmConfig } from "../../lib/native/addon-types.js";

export const CONFIG: NativeVmConfig = {
  addressBits: 48,
  rootLevel: 4,
  hostMaxphyaddr: 48,
  vcpus: 1,
  arenaBytes: 2 ** 30,
  strategy: "none",
  preset: "none",
  mmu: "tdp",
  flushProvider: "none",
  tlb: { arrays: [], pagingStructureCaches: { pde: 0, pdpte: 0, pml4e: 0, pml5e: 0 } },
  internalSlots: false,
  guestPaging: "long",
  externalTables: "ok",
  convertOnExit: false,
  kernel: "6.16",
  host: HOST_DEFAULTS,
};

/** `CONFIG` with a preset and what it fixes. */
export function under(preset: string, overrides: Partial<NativeVmConfig> = {}): NativeVmConfig {
  const { addressBits, rootLevel } = loadAddon().preset(preset);
  const fixed = addressBits === 0 ? {} : { addressBits, rootLevel, hostMaxphyaddr: 52 };
  return { ...CONFIG, ...fixed, preset, ...overrides };
}
