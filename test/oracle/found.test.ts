/** Differences between engine and model that random sequences once found, as short as they shrank. */
import { test } from "vitest";
import type { Step } from "../support/sequence.js";
import { agree } from "./differential/agree.js";
import type { EventKind, ReferenceEvent } from "./reference/types.js";

const PAGE = 4096;

const event = (kind: EventKind, fields: Partial<ReferenceEvent> = {}): Step => ({
  kind: "event",
  event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields },
});

test("logging of a slot beyond a four-level tree touches no mapping inside it", () => {
  const end = 2 ** 48;
  const last = { slot: 0, flags: 0, gpa: end - PAGE, bytes: PAGE, hva: 2 ** 41, backing: 1 };
  const config = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 49, vcpus: 1, policy: "none" };
  for (const pages of [0, 2, 512, 512 * 512]) {
    const beyond = { ...last, slot: 1, gpa: end + pages * PAGE };
    const touch = [event("access", { gpa: end - PAGE, access: 1 }), event("access", { gpa: 0, access: 1 })];
    const steps = [...touch, event("dirty-log-enable"), event("dirty-log-get"), event("dirty-log-disable")];
    agree({ config, slots: [last, beyond], steps: [...steps, ...touch] });
    const toggle: Step = { kind: "memslot", intent: { kind: "toggle-log", slot: 1 } };
    agree({ config, slots: [last, beyond], steps: [...touch, toggle, toggle, ...touch] });
  }
});

test("a slot that begins among the aliases, or reaches through them, leaves its neighbours their twins", () => {
  const bit = 2 ** 38;
  const config = {
    addressBits: 39,
    rootLevel: 4,
    hostMaxphyaddr: 40,
    vcpus: 1,
    policy: "duplicate-slots",
    preset: "xo:38",
  };
  const home = { slot: 2, flags: 0, gpa: bit - PAGE, bytes: PAGE, hva: 2 ** 41, backing: 2 };
  for (const gpa of [bit - PAGE, bit, 2 * bit - PAGE]) {
    const wide = { slot: 0, flags: 0, gpa, bytes: bit + 2 * PAGE, hva: 2 ** 40, backing: 2 };
    const touch = event("access", { gpa: 2 * bit - PAGE, access: 4 });
    for (const mmu of ["tdp", "rmap"] as const) {
      agree({ config: { ...config, mmu }, slots: [wide, home], steps: [touch, { kind: "compare" }] });
      agree({ config: { ...config, mmu }, slots: [home, wide], steps: [touch, { kind: "compare" }] });
    }
  }
});

test("a move that names another backing keeps the slot's own, also where 1G would be refused", () => {
  const config = { addressBits: 39, rootLevel: 4, hostMaxphyaddr: 39, vcpus: 1, preset: "xo:38" };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: PAGE, hva: 2 ** 40, backing: 2 };
  const moved = { ...slot, gpa: 2 ** 30, backing: 3 };
  for (const policy of ["duplicate-slots", "precise"])
    agree({ config: { ...config, policy }, slots: [slot, moved], steps: [{ kind: "compare" }] });
});
