/** Differences between engine and model that random sequences once found, as short as they shrank. */
import { test } from "vitest";
import type { Step } from "../support/sequence.js";
import { agree } from "./differential/agree.js";
import type { EventKind, ReferenceConfig, ReferenceEvent } from "./reference/types.js";

const PAGE = 4096;
const HVA = 2 ** 40;
const SMALL = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48, vcpus: 1 };
const FLAVOURS = ["tdp", "rmap"] as const;
const WITHOUT_AD = { adBits: false };

const event = (kind: EventKind, fields: Partial<ReferenceEvent> = {}): Step => ({
  kind: "event",
  event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields },
});

const access = (gpa: number, bits: number): Step => event("access", { gpa, access: bits });
const slotOf = (pages: number) => ({ slot: 0, flags: 0, gpa: 0, bytes: pages * PAGE, hva: HVA, backing: 2 });

/** That the host's page behind the first page of the slot is so from now on. */
const hostPage = (
  mapping: { state: "readonly" | "none" | "readwrite"; pfn?: number } | undefined,
): Step[] => {
  const given = mapping === undefined ? undefined : { ...mapping, level: 1 };
  const request = { kind: "host-mapping" as const, hva: HVA, bytes: PAGE, mapping: given };
  return [event("hva-invalidate", { gpa: HVA, bytes: PAGE }), { kind: "host", request }];
};

const inBothFlavours = (config: Partial<ReferenceConfig>, pages: number, steps: readonly Step[]): void => {
  for (const mmu of FLAVOURS)
    agree({ config: { ...SMALL, policy: "none", ...config, mmu }, slots: [slotOf(pages)], steps });
};

test("nothing is prefetched while the host takes memory back", () => {
  inBothFlavours({}, 1, [event("hva-begin", { gpa: HVA, bytes: PAGE }), access(PAGE, 1)]);
});

test("neighbours of a page that the host maps read-only are prefetched as they are themselves", () => {
  inBothFlavours({}, 8, [...hostPage({ state: "readonly" }), access(0, 1), { kind: "compare" }]);
});

test("a frame that is watched once more is flushed only where a leaf changed", () => {
  const watch = event("write-track-add", { bytes: PAGE });
  const age = event("age", { gpa: HVA, bytes: PAGE });
  inBothFlavours({ host: WITHOUT_AD }, 1, [access(0, 2), watch, age, watch]);
});

test("mapping ahead what was mapped ahead gives rights back where the processor keeps no Accessed bit", () => {
  const prefault = event("prefault", { bytes: PAGE });
  for (const host of [{}, WITHOUT_AD]) inBothFlavours({ host }, 1, [prefault, prefault, access(0, 2)]);
});

test("KVM writes no page that the host has not", () => {
  const write: Step = { kind: "log", request: { kind: "guest-write", gpa: 0, bytes: 2 * PAGE, vcpu: 0 } };
  for (const state of ["none", "readonly"] as const)
    inBothFlavours({}, 2, [event("dirty-log-enable"), ...hostPage({ state }), write]);
});

test("what is protected anew when a full ring is emptied belongs to the access that made the vCPU exit", () => {
  const ahead = event("prefault", { bytes: 513 * PAGE });
  inBothFlavours({ dirtyRing: 4096 }, 513, [event("dirty-log-enable"), ahead, access(0, 1)]);
});

test("who maps ahead is a vCPU, and flushes nobody else where it is alone", () => {
  const config = { ...SMALL, policy: "stolen-bits-tdx", mmu: "rmap", preset: "tdx47" } as const;
  const shared = event("prefault", { gpa: 2 ** 47, bytes: PAGE });
  agree({ config, slots: [slotOf(1)], steps: [access(0, 1), shared, access(0, 1)] });
});

test("a blocked leaf that comes back with another page is listed once", () => {
  const config = { ...SMALL, policy: "stolen-bits-tdx", mmu: "rmap", preset: "tdx47" } as const;
  const [moved, back] = [hostPage({ state: "readwrite", pfn: 2 ** 18 }), hostPage(undefined)];
  agree({ config, slots: [slotOf(1)], steps: [...moved, access(0, 1), ...back, access(0, 1)] });
});

test("an alias that meets tables kept small for another's fetch keeps them", () => {
  const config = { ...SMALL, policy: "v5-as-posted", mmu: "rmap", preset: "bits:46,47" } as const;
  const steps = [access(0, 4), access(2 ** 46 + PAGE, 1)];
  agree({ config: { ...config, host: { nxHugePages: true } }, slots: [slotOf(512)], steps });
});

test("a slot that goes by its own leaves blocks each private leaf before it drops it", () => {
  const config = { ...SMALL, policy: "role-private", preset: "tdx47", host: { slotZapAll: false } };
  const gone: Step = { kind: "memslot", intent: { kind: "delete", slot: 0 } };
  agree({ config, slots: [slotOf(1)], steps: [access(0, 1), gone] });
});

test("no access to private memory is emulated, not even one to the APIC's page", () => {
  const host = { apicv: false };
  const config = {
    ...SMALL,
    policy: "stolen-bits-tdx",
    mmu: "rmap",
    preset: "tdx47",
    internalSlots: true,
  } as const;
  const steps = [0, 2 ** 47].map((alias) => access(alias + 0xfee00000, 1));
  agree({ config: { ...config, host }, slots: [slotOf(1)], steps });
});

test("twins that go by their own leaves are missed only once all had their turn", () => {
  const config = { preset: "bits:47", policy: "duplicate-slots", host: { slotZapAll: false } };
  const gone: Step = { kind: "memslot", intent: { kind: "delete", slot: 0 } };
  const moved: Step = { kind: "memslot", intent: { kind: "move", slot: 0, gpa: PAGE, togglesLog: false } };
  for (const end of [gone, moved]) inBothFlavours(config, 1, [access(2 ** 47, 1), end, { kind: "compare" }]);
});

test("a leaf that outlived its slot gets its rights back without one", () => {
  const config = {
    ...SMALL,
    policy: "stolen-bits-tdx",
    mmu: "rmap",
    preset: "tdx47",
    host: WITHOUT_AD,
  } as const;
  const gone: Step = { kind: "memslot", intent: { kind: "delete", slot: 0 } };
  const steps = [event("prefault", { bytes: PAGE }), gone, access(0, 1)];
  agree({ config, slots: [slotOf(1)], steps });
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

test("a neighbour that must not be mapped ahead ends the run all the same where the host lacks its page", () => {
  const config = {
    addressBits: 48,
    rootLevel: 4,
    hostMaxphyaddr: 48,
    vcpus: 1,
    preset: "tdx47",
    mmu: "rmap" as const,
  };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: 16 * PAGE, hva: 2 ** 40, backing: 1 };
  const gone: Step = {
    kind: "host",
    request: { kind: "host-mapping", hva: 2 ** 40 + PAGE, bytes: PAGE, mapping: { state: "none", level: 1 } },
  };
  const share = event("attributes", { gpa: 2 * PAGE, bytes: 14 * PAGE });
  const touch = event("access", { gpa: 2 ** 47 + 4 * PAGE, access: 1 });
  for (const policy of ["stolen-bits-tdx", "precise"])
    agree({ config: { ...config, policy }, slots: [slot], steps: [gone, share, touch, { kind: "compare" }] });
});

test("a hole that was fetched from stays small when memory comes", () => {
  const config = { addressBits: 36, rootLevel: 4, hostMaxphyaddr: 36, vcpus: 1, policy: "none" };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: PAGE, hva: 2 ** 40, backing: 2 };
  const more = { ...slot, slot: 1, gpa: 2 ** 30, bytes: 2 ** 21, hva: 2 ** 41 };
  const create: Step = { kind: "memslot", intent: { kind: "create", region: more } };
  const touch = (access: number) => event("access", { gpa: 2 ** 30 + PAGE, access });
  for (const mmu of ["tdp", "rmap"] as const)
    agree({
      config: { ...config, mmu, host: { nxHugePages: true } },
      slots: [slot],
      steps: [touch(4), create, touch(1)],
    });
});

test("a write log is read at every exit, also at one for a hole that is known", () => {
  const config = {
    addressBits: 36,
    rootLevel: 4,
    hostMaxphyaddr: 36,
    vcpus: 1,
    policy: "none",
    host: { pml: true },
  };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: PAGE, hva: 2 ** 40, backing: 2 };
  const at = (gpa: number, access: number) => event("access", { gpa, access });
  const hole = 2 ** 32;
  const steps = [
    at(hole, 1),
    event("dirty-log-enable"),
    at(0, 1),
    event("dirty-log-get"),
    at(0, 2),
    at(hole, 1),
  ];
  for (const mmu of ["tdp", "rmap"] as const)
    agree({ config: { ...config, mmu }, slots: [slot], steps: [...steps, { kind: "compare" }] });
});

test("a write that Dirty no longer sees is stale once the flush is over", () => {
  const config = { addressBits: 52, rootLevel: 5, hostMaxphyaddr: 52, vcpus: 1, preset: "tdx51" };
  const more = { flushProvider: "fail:2", tlb: { entries: 16, ways: 4 }, host: { pml: true } };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: PAGE, hva: 2 ** 40, backing: 2 };
  const write = event("access", { gpa: 2 ** 51, access: 2 });
  const steps = [
    event("access", { gpa: 0, access: 2 }),
    write,
    event("dirty-log-enable", { bytes: PAGE }),
    write,
  ];
  agree({
    config: { ...config, ...more, mmu: "rmap", policy: "stolen-bits-tdx" },
    slots: [slot],
    steps: [...steps, { kind: "compare" }],
  });
});

test("a leaf that grants nothing, made ahead of its use, is not marked as used", () => {
  const config = {
    addressBits: 52,
    rootLevel: 5,
    hostMaxphyaddr: 52,
    vcpus: 1,
    policy: "precise",
    preset: "xo:51",
  };
  const host = { adBits: false, nxHugePages: true };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: 2 ** 24, hva: 2 ** 40, backing: 2 };
  const steps = [event("prefault", { gpa: 2 ** 51, bytes: PAGE }), event("access", { gpa: 0, access: 1 })];
  for (const mmu of ["tdp", "rmap"] as const)
    agree({
      config: { ...config, host, mmu },
      slots: [slot],
      steps: [...steps, { kind: "compare" }],
    });
});

test("a look at a log that is cleared by hand reads the write log out", () => {
  const config = {
    addressBits: 36,
    rootLevel: 4,
    hostMaxphyaddr: 36,
    vcpus: 1,
    policy: "none",
    host: { pml: true },
  };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: PAGE, hva: 2 ** 40, backing: 2 };
  const manual: Step = { kind: "log", request: { kind: "cap", cap: 168, flags: 0, argument: 1 } };
  const write = event("access", { gpa: 0, access: 2 });
  const steps = [manual, write, event("dirty-log-enable"), write, event("dirty-log-get")];
  for (const mmu of ["tdp", "rmap"] as const)
    agree({ config: { ...config, mmu }, slots: [slot], steps: [...steps, { kind: "compare" }] });
});

test("rights that ageing put aside are owed to no flush of another alias", () => {
  const config = { addressBits: 52, rootLevel: 5, hostMaxphyaddr: 52, vcpus: 1, preset: "xo:51" };
  const more = { flushProvider: "hyperv", tlb: { entries: 16, ways: 4 }, host: { adBits: false } };
  const slot = { slot: 0, flags: 0, gpa: 0, bytes: 2 ** 21, hva: 2 ** 40, backing: 2 };
  const small = 2 ** 51 + PAGE;
  const steps = [
    event("dirty-log-enable"),
    event("access", { gpa: small, access: 4 }),
    event("zap", { gpa: 0, bytes: 2 ** 21 }),
    event("dirty-log-disable"),
    event("access", { gpa: 0, access: 1 }),
    event("age", { gpa: 2 ** 40, bytes: PAGE }),
    event("access", { gpa: small, access: 4 }),
    event("access", { gpa: 0, access: 1 }),
  ];
  agree({
    config: { ...config, ...more, mmu: "tdp", policy: "precise" },
    slots: [slot],
    steps: [...steps, { kind: "compare" }],
  });
});

test("aliases in one table share none of the leaves below it", () => {
  const config = { addressBits: 39, rootLevel: 4, hostMaxphyaddr: 39, vcpus: 1, preset: "xo:38" };
  const far = { slot: 1, flags: 0, gpa: 2 ** 32, bytes: PAGE, hva: 2 ** 40 + 2 ** 32, backing: 2 };
  const near = { slot: 0, flags: 0, gpa: 0, bytes: PAGE, hva: 2 ** 40, backing: 2 };
  const steps = [
    event("access", { gpa: 2 ** 32, access: 1 }),
    event("access", { gpa: 0, access: 2 }),
    event("zap", { gpa: 0, bytes: 2 ** 38 }),
  ];
  agree({
    config: { ...config, mmu: "tdp", policy: "v5-as-reviewed", flushProvider: "hyperv" },
    slots: [near, far],
    steps: [...steps, { kind: "compare" }],
  });
});

test("a page that is zapped out of a huge leaf takes every part of it from a TLB that holds 4K", () => {
  const config = { flushProvider: "hyperv", tlb: { entries: 16, ways: 4 } };
  const zap = event("zap", { bytes: PAGE });
  inBothFlavours(config, 512, [access(PAGE, 1), zap, { kind: "compare" }]);
});
