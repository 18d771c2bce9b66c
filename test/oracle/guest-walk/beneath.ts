/** What L1 set up for its guest: the root of its EPT, or the registers that its nested tables are judged by. */
import {
  AT_RESET,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_LA57,
  CR4_PAE,
  CR4_PKE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
  EFER_NX,
  type Registers,
} from "../reference-walker/registers.js";
import { levelsBeneath } from "./tables.js";
import { BENEATH_FRAME, type World } from "./world.js";

const ROOT = BigInt(BENEATH_FRAME * 4096);
const WRITE_BACK = 6n;

export const eptpOf = (world: World): bigint =>
  ROOT | (BigInt(levelsBeneath(world) - 1) << 3n) | (world.marksBeneath ? 0x40n : 0n) | WRITE_BACK;

/** Of modes that have no say in nested tables, as many as there are; NX has one. */
export const l1Registers = (world: World): Registers => ({
  ...AT_RESET,
  cr0: CR0_PE | CR0_PG | (world.executeOnly ? CR0_WP : 0n),
  cr3: ROOT,
  cr4: CR4_PAE | CR4_SMEP | CR4_SMAP | CR4_PKE | (levelsBeneath(world) === 5 ? CR4_LA57 : 0n),
  efer: EFER_LME | EFER_LMA | (world.marksBeneath ? EFER_NX : 0n),
  pkru: BigInt(world.pkru),
});
