/** The slot is deleted, or made again as it was. */
import { type OperationKind, SLOT } from "../world.js";

const slotChanges: OperationKind = ({ backing }) => {
  const slot = { is: "memslot", flags: 0, backing, ...SLOT } as const;
  return [
    { says: "userspace deletes the slot", steps: [{ ...slot, bytes: 0 }], symmetry: "none" },
    { says: "userspace makes the slot again", steps: [slot], symmetry: "none" },
  ];
};

export default slotChanges;
