/**
 * Random scripts of a guest's own tables: a VM, and one to three steps that
 * change it and ask where addresses lead.
 */
import type { Kernel } from "../kernel.js";
import type { Random } from "../random.js";
import { hexOf } from "./arena.js";
import type { AskedStep } from "./ask.js";
import {
  type Guest,
  type GuestSlot,
  isShown,
  newGuest,
  PAGE,
  randomEntries,
  randomGva,
  rowOf,
} from "./guest.js";
import { randomCpuid, randomRegisters } from "./registers.js";

const GVAS = 32;
/** Of its ring: more entries than a step's walks can push. */
const RING_BYTES = "0x2000";

export function generateSteps(random: Random, kernel: Kernel): readonly AskedStep[] {
  const guest = newGuest(random);
  const hasRing = kernel.has("ringAcquireRelease") && random.isOneIn(6);
  const first = { ...(hasRing && { ring: RING_BYTES }), ...firstStep(guest) };
  const more = random.weighted([
    [6, 0],
    [3, 1],
    [1, 2],
  ]);
  return [first, ...Array.from({ length: more }, () => nextStep(guest))];
}

function firstStep(guest: Guest): AskedStep {
  const { random, slots } = guest;
  return {
    slots: [...slots.values()].map(rowOf),
    mem: randomEntries(guest, 95),
    ...(!random.isOneIn(6) && { cpuid: randomCpuid(random) }),
    ...(random.isOneIn(6) && { prot: randomProtection(guest) }),
    sregs: randomRegisters(random, rootOf(guest)),
    rflags: random.pick(["0x2", "0x40002"]),
    gvas: randomGvas(guest),
  };
}

function nextStep(guest: Guest): AskedStep {
  const { random } = guest;
  const slots = random.isOneIn(2) ? [changedSlot(guest)] : [];
  return {
    ...(slots.length > 0 && { slots }),
    ...(random.isOneIn(2) && { mem: randomEntries(guest, 15) }),
    ...(random.isOneIn(3) && { prot: randomProtection(guest) }),
    ...(random.isOneIn(4) && { cpuid: randomCpuid(random) }),
    ...(random.isOneIn(2) && { sregs: randomRegisters(random, rootOf(guest)) }),
    ...(random.isOneIn(3) && { rflags: random.pick(["0x2", "0x40002"]) }),
    gvas: randomGvas(guest),
  };
}

/** Logging switched, a move to where nothing was, or the end; what KVM takes for sure. */
function changedSlot(guest: Guest) {
  const { random, slots, places } = guest;
  const slot = random.pick([...slots.values()]);
  const to = places.at(-1);
  const changed = random.weighted<() => GuestSlot>([
    [4, () => ({ ...slot, flags: slot.flags ^ 1 })],
    [to === undefined ? 0 : 2, () => ({ ...slot, gpa: places.pop() as bigint })],
    [slots.size > 1 ? 1 : 0, () => ({ ...slot, bytes: 0n })],
  ])();
  if (changed.bytes === 0n) slots.delete(slot.id);
  else slots.set(slot.id, changed);
  return rowOf(changed);
}

/** Pages that are closed to the process itself, tables among them. */
function randomProtection({ random, slots }: Guest): NonNullable<AskedStep["prot"]> {
  const { offset, bytes } = random.pick([...slots.values()]);
  const page = offset + BigInt(random.below(Math.min(Number(bytes / PAGE), 16))) * PAGE;
  const state = random.pick(["ro", "none"] as const);
  return random.isOneIn(4) ? [[hexOf(offset), hexOf(bytes), state]] : [[hexOf(page), hexOf(PAGE), state]];
}

/** Mostly of the tables; else of a page that is none, or of no page at all. */
function rootOf(guest: Guest): bigint {
  const { random, tables } = guest;
  const [root = 0n] = tables[4] ?? [];
  if (random.isOneIn(16)) return random.pick([0n, root + PAGE, 0xdead_b000n, 2n ** 45n]);
  return isShown(guest, root) ? root : random.pick([...guest.slots.values()]).gpa;
}

function randomGvas(guest: Guest): string[] {
  return Array.from({ length: GVAS }, () => hexOf(randomGva(guest)));
}
