/**
 * Slots that no request names: KVM's own, which come with the VM, and the
 * twins of a user's slot, which do as it does, one for every other alias.
 */
import { PAGE_BYTES } from "./frames.js";
import { type Change, type Memslots, type Slot, TWINS } from "./memslots.js";

/** Where KVM's own memory is; any place that no user slot has. */
const INTERNAL_HVA = 2 ** 50;
const HVA_STEP = 2 ** 30;
const INTERNAL = [
  { base: 0xfeffd, pages: 3 },
  { base: 0xfee00, pages: 1 },
  { base: 0xfeffc, pages: 1 },
];

export const isApicAccessPage = ({ owner, base }: Slot): boolean => owner === "kvm" && base === 0xfee00;

/** TSS, APIC access page and identity map, before any generation. */
export function addInternalSlots(memslots: Memslots): void {
  for (const [i, { base, pages }] of INTERNAL.entries()) {
    const slot = memslots.limits.rules.userSlots + i;
    const [gpa, bytes, hva] = [base * PAGE_BYTES, pages * PAGE_BYTES, INTERNAL_HVA + i * HVA_STEP];
    const region = { slot, flags: 0, gpa, bytes, hva, backing: 1 };
    memslots.slots.set(slot, { ...memslots.slotFrom(region, undefined), owner: "kvm" });
  }
}

/** The same change for the twin that many frames further. */
export function twinChange(
  { slots, logging }: Memslots,
  change: Change,
  { alias, offset }: { alias: number; offset: number },
): Change {
  if (change.kind === "nothing") return change;
  const user = change.kind === "create" ? change.slot : change.old;
  const old = slots.get(user.slot + alias * TWINS);
  const wanted = change.kind === "delete" ? undefined : change.slot;
  if (wanted === undefined) return old === undefined ? { kind: "nothing" } : { kind: "delete", old };
  const slot: Slot = {
    ...wanted,
    slot: wanted.slot + alias * TWINS,
    base: wanted.base + offset,
    owner: "twin",
    dirty: wanted.logged ? (old?.dirty ?? logging.newBitmap(wanted.pages)) : undefined,
  };
  if (old === undefined) return { kind: "create", slot };
  return { kind: change.kind === "flags" ? "flags" : "move", old, slot };
}
