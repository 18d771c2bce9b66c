/** Which kind of tables the registers ask for, and the shape of each kind. */
import { has } from "./bits.js";
import { CR0_PG, CR4_LA57, CR4_PAE, EFER_LMA, type Registers } from "./registers.js";

export type Mode = "off" | "32-bit" | "pae" | "4-level" | "5-level";

export interface Shape {
  readonly mode: Exclude<Mode, "off">;
  /** Of the first table in memory: PAE's four root entries lie in registers. */
  readonly topLevel: number;
  readonly entryBytes: 4 | 8;
  /** How many bits of the address choose an entry of one table. */
  readonly indexBits: 9 | 10;
}

const shapes: Record<Shape["mode"], Shape> = {
  "32-bit": { mode: "32-bit", topLevel: 2, entryBytes: 4, indexBits: 10 },
  pae: { mode: "pae", topLevel: 2, entryBytes: 8, indexBits: 9 },
  "4-level": { mode: "4-level", topLevel: 4, entryBytes: 8, indexBits: 9 },
  "5-level": { mode: "5-level", topLevel: 5, entryBytes: 8, indexBits: 9 },
};

export function modeOf({ cr0, cr4, efer }: Registers): Mode {
  if (!has(cr0, CR0_PG)) return "off";
  const [longMode, pae] = [has(efer, EFER_LMA), has(cr4, CR4_PAE)];
  // KVM kills the VM; a caller that checks its registers never comes here.
  if (longMode && !pae) throw new Error("long mode without CR4.PAE");
  if (longMode) return has(cr4, CR4_LA57) ? "5-level" : "4-level";
  return pae ? "pae" : "32-bit";
}

export const shapeOf = (mode: Shape["mode"]): Shape => shapes[mode];

/** The lowest bit of an address that chooses an entry at `level`; all below is offset into what it maps. */
export const shiftOf = ({ indexBits }: Shape, level: number): bigint => BigInt(12 + indexBits * (level - 1));

/**
 * Bits above the topmost index have no say: whether an address is canonical is
 * asked where an instruction forms it, never by KVM's walk.
 */
export const indexOf = (shape: Shape, level: number, address: bigint): bigint =>
  (address >> shiftOf(shape, level)) & ((1n << BigInt(shape.indexBits)) - 1n);
