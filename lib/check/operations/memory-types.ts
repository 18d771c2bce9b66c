/** The guest makes its first page uncached, or like all others again: MTRR writes. */
import { formatGpa } from "../../address.js";
import { type CheckStep, type OperationKind, PAGE, SLOT } from "../world.js";

/** Default type: write-back, registers on. Some strategies refuse to hear of any. */
const DEFAULT = [0x2ff, 2 ** 11 + 6] as const;
const BASE = 0x200;
const MASK = 0x201;
const VALID = 2 ** 11;
/** The guest's physical width, where no alias bit says it. */
const WIDTH = 2 ** 46;

const write = (msr: number, value: number): CheckStep => ({ is: "mtrr", msr, value });

const memoryTypes: OperationKind = ({ memoryTypes, aliases: [, above = WIDTH] }) => {
  if (!memoryTypes) return [];
  // Every bit of an address that the guest takes for one.
  const onePage = above - PAGE;
  return [
    {
      says: `the guest makes ${formatGpa(SLOT.gpa)} uncached`,
      steps: [write(...DEFAULT), write(BASE, SLOT.gpa), write(MASK, onePage + VALID)],
      symmetry: "first",
    },
    {
      says: `the guest makes ${formatGpa(SLOT.gpa)} write-back again`,
      steps: [write(MASK, 0)],
      symmetry: "first",
    },
  ];
};

export default memoryTypes;
