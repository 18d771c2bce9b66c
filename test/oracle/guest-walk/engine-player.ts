/** A world in the engine. */
import { GUEST_FEATURES } from "../../../lib/guest-vcpu.js";
import { type Access, createVm, KVM_CAP, type Vm } from "../../../lib/index.js";
import { eptpOf, l1Registers } from "./beneath.js";
import { type Played, translationText } from "./play.js";
import { addressOf, arenaOf } from "./tables.js";
import { ARENA_FRAMES, type Query, registersOf, type World } from "./world.js";

const PAGE = 4096;
const HVA = 2 ** 45;
/** The whole arena once more, for the host to look at. */
const LOOK = 2 ** 33;
const RING_BYTES = 65_536;
const LOGS = 1;
const READONLY = 2;

function vmOf(world: World): Vm {
  const stolen = world.features.stolen !== 0n;
  const alias = stolen ? { preset: "bits:47", strategy: "precise" } : { preset: "none", strategy: "none" };
  const vm = createVm({ alias, vcpus: 0, mmu: "rmap" } as Parameters<typeof createVm>[0]);
  vm.enableCap(KVM_CAP.dirtyLogRingAcqRel, RING_BYTES);
  vm.createVcpu(0);
  const arena = { slot: 9, flags: 0, gpa: LOOK, bytes: ARENA_FRAMES * PAGE, hva: HVA };
  vm.memslots.set(arena);
  vm.memory.write(LOOK, arenaOf(world));
  for (const [slot, { gpa, from, frames, logs, readonly }] of world.slots.entries()) {
    const flags = (logs ? LOGS : 0) | (readonly ? READONLY : 0);
    vm.memslots.set({ slot, flags, gpa: gpa * PAGE, bytes: frames * PAGE, hva: HVA + from * PAGE });
  }
  for (const { frame, state } of world.protections) vm.setHostMapping(HVA + frame * PAGE, PAGE, { state });
  return vm;
}

function setUp(vm: Vm, world: World): void {
  const { maxphyaddr = null, isAmd, hasGigabytePages } = world.features;
  const features = GUEST_FEATURES.filter((each) => each !== "pdpe1gb" || hasGigabytePages);
  vm.setGuestCpuid({ maxphyaddr, vendor: isAmd ? "amd" : "intel", features });
  if (world.beneath.startsWith("npt")) vm.setNestedPaging({ kind: "npt", ...l1Registers(world) });
  if (world.beneath.startsWith("ept")) {
    const { executeOnly: hasExecuteOnly } = world;
    vm.setNestedPaging({ kind: "ept", eptp: eptpOf(world), hasExecuteOnly, has1g: hasGigabytePages });
  }
  vm.setGuestRegisters(registersOf(world));
}

const accessOf = ({ write, fetch }: Query): Access[] => [
  "read",
  ...(write ? (["write"] as const) : []),
  ...(fetch ? (["fetch"] as const) : []),
];

export function playEngine(world: World): Played {
  using vm = vmOf(world);
  setUp(vm, world);
  const answers = world.queries.map((query) => {
    const { user, implicit } = query;
    const address = addressOf(world.mode, query.indexes, query.offset);
    const answer = vm.translate(address, accessOf(query), { user, implicit, references: true });
    return translationText(answer, world.beneath.startsWith("ept"));
  });
  const dirtied = vm.collectRing().map(({ slot, page }) => `${slot}:${page}`);
  for (const { frame } of world.protections) vm.setHostMapping(HVA + frame * PAGE, PAGE, { reset: true });
  return { answers, dirtied, arena: vm.memory.read(LOOK, ARENA_FRAMES * PAGE) };
}
