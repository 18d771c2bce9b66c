/** Differences that random sequences once found in flavour rmap, as short as they shrank: what lists and tables say apart. */
import { test } from "vitest";
import type { Step } from "../support/sequence.js";
import { agree } from "./differential/agree.js";
import type { EventKind, ReferenceEvent } from "./reference/types.js";

const PAGE = 4096;
const HVA = 2 ** 40;
const SMALL = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48, vcpus: 1 };

const event = (kind: EventKind, fields: Partial<ReferenceEvent> = {}): Step => ({
  kind: "event",
  event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields },
});

const access = (gpa: number, bits: number): Step => event("access", { gpa, access: bits });
const slotOf = (pages: number) => ({ slot: 0, flags: 0, gpa: 0, bytes: pages * PAGE, hva: HVA, backing: 2 });

test("leaves that could be larger go in the order in which their list has had them, the last in the place of each", () => {
  for (const preset of ["bits:47", "bits:46,47"]) {
    const low = preset === "bits:47" ? 2 ** 47 : 2 ** 46;
    const gpas = Array.from({ length: 2 ** 48 / low }, (_, alias) => alias * low);
    const config = { ...SMALL, preset, mmu: "rmap", policy: "stolen-bits", flushProvider: "fail:2" } as const;
    agree({
      config: { ...config, tlb: { entries: 16, ways: 4 } },
      slots: [slotOf(512)],
      steps: [
        event("dirty-log-enable"),
        ...gpas.map((gpa) => access(gpa, 1)),
        event("dirty-log-disable"),
        access(0, 1),
        { kind: "compare" },
      ],
    });
  }
});

test("a leaf that no alias reaches any more, as its tables were recycled, is shared by none", () => {
  const config = { addressBits: 39, rootLevel: 4, hostMaxphyaddr: 39, vcpus: 1, preset: "xo:38" };
  const slot = { slot: 0, flags: 0, gpa: 2 ** 30, bytes: 3 * 2 ** 21, hva: 2 ** 40, backing: 2 };
  // Each takes a table; then there are too few left, and the oldest go: those above the leaf's own.
  const holes = Array.from({ length: 56 }, (_, table) => access(table * 2 ** 21, 1));
  agree({
    config: { ...config, mmu: "rmap", policy: "stolen-bits", flushProvider: "hyperv", limitsPages: true },
    slots: [slot],
    steps: [
      event("dirty-log-enable"),
      ...holes,
      access(2 ** 30, 2),
      access(2 ** 32, 1),
      { kind: "compare" },
      event("dirty-log-get"),
      { kind: "compare" },
    ],
  });
});

test("the host's unmap finds a private leaf that its slot lost when it moved", () => {
  const config = {
    addressBits: 47,
    rootLevel: 4,
    hostMaxphyaddr: 47,
    vcpus: 1,
    preset: "vtom:0x400000000000",
  };
  const slot = { slot: 3, flags: 0, gpa: 0, bytes: 2 ** 21, hva: 2 ** 40, backing: 2 };
  agree({
    config: { ...config, mmu: "rmap", policy: "stolen-bits-tdx" },
    slots: [slot],
    steps: [
      access(0x3e000, 1),
      { kind: "memslot", intent: { kind: "move", slot: 3, gpa: PAGE, togglesLog: false } },
      event("hva-begin", { gpa: 2 ** 40, bytes: 2 ** 18 }),
      event("hva-end", { gpa: 2 ** 40, bytes: 2 ** 18 }),
      { kind: "compare" },
    ],
  });
});
