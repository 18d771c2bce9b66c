/** A guest of a guest, its tables and pages moved by those of L1, for tests of the reference walker. */
import { beneathEpt, beneathNpt, nptRegisters } from "../oracle/reference-walker/nested.js";
import { type Reference, References } from "../oracle/reference-walker/references.js";
import type { Outcome } from "../oracle/reference-walker/walk.js";
import { ADDRESS, AGuest, FRAME, type Making, PWU } from "./a-guest.js";
import { AnEpt, type EptMaking, RWX, WB } from "./an-ept.js";

/** L1 keeps its guest's page 0 here, and every other as far behind. */
export const MOVED = 0x1000_0000n;
const BENEATH = 0x20_0000n;
const MEGABYTE = 0x10_0000n;
const TABLE_PAGES = 12n;

/** L2's tables lie at the bottom of its memory: shown at 0 for tests to write them, and where L1 put them. */
function l2(mode: AGuest["shape"]["mode"], making: Making): AGuest {
  const guest = new AGuest(mode, making).map(PWU | FRAME);
  const low = { bytes: MEGABYTE, offset: 0n, logsDirty: true };
  guest.memory.slots.set(1, { ...low, id: 1, gpa: MOVED });
  guest.memory.slots.set(2, { ...low, id: 2, gpa: BENEATH, offset: BENEATH });
  return guest;
}

const pages = [...Array(Number(TABLE_PAGES)).keys()].map((n) => BigInt(n) << 12n);

export interface NestedWorld {
  readonly guest: AGuest;
  /** What was read by the last walk of `access`. */
  access(access: bigint, address?: bigint): { outcome: Outcome; references: Reference[] };
}

function access(guest: AGuest, second: (references: References) => AGuest["beneath"]): NestedWorld["access"] {
  return (kind, address = ADDRESS) => {
    const references = new References();
    guest.beneath = second(references);
    const outcome = guest.access(kind, address, references.of("own", guest.memory));
    return { outcome, references: references.all };
  };
}

/** L1 of Intel's. Each page of L2 is a page of 4 KiB, so that every walk goes all the way. */
export function overEpt(
  mode: AGuest["shape"]["mode"],
  making: EptMaking = {},
  ofGuest: Making = {},
): NestedWorld & { readonly ept: AnEpt } {
  const guest = l2(mode, ofGuest);
  const ept = new AnEpt({ ...making, memory: guest.memory, root: BENEATH });
  for (const page of [...pages, FRAME]) ept.map(page, (page + MOVED) | RWX | WB);
  const second = (references: References) => beneathEpt(ept.ept, references.of("beneath", guest.memory));
  return { guest, ept, access: access(guest, second) };
}

/** L1 of AMD's. */
export function overNpt(
  mode: AGuest["shape"]["mode"],
  hostMode: "4-level" | "5-level",
  making: Making = {},
): NestedWorld & { readonly host: AGuest } {
  const guest = l2(mode, {});
  const host = new AGuest(hostMode, { ...making, memory: guest.memory, root: BENEATH });
  for (const page of [...pages, FRAME]) host.map((page + MOVED) | PWU, 1, page);
  host.registers = nptRegisters(host.registers, BENEATH);
  const second = (references: References) => beneathNpt(host.vcpu, references.of("beneath", guest.memory));
  return { guest, host, access: access(guest, second) };
}
