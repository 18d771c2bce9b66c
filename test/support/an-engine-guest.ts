/** The same guests as the plain walker's, walked by the engine: a VM is made of the memory and registers for each access. */
import { GUEST_FEATURES } from "../../lib/guest-vcpu.js";
import { type Access, createVm, type GuestTranslation, type Vm } from "../../lib/index.js";
import { FETCH, IMPLICIT, USER, WRITE } from "../oracle/reference-walker/access.js";
import type { EptFault } from "../oracle/reference-walker/fault.js";
import type { Features } from "../oracle/reference-walker/features.js";
import type { GuestMemory } from "../oracle/reference-walker/guest-memory.js";
import type { Outcome, Translation } from "../oracle/reference-walker/walk.js";
import { ADDRESS, AGuest } from "./a-guest.js";
import { AnEpt } from "./an-ept.js";

const PAGE = 4096n;
const CR0_ET = 0x10n;
const MISCONFIGURED = 8;

/** A VM without alias bits, or with one that guest entries may carry. */
function vmOf(features: Features, memory: GuestMemory): Vm {
  const stolen = features.stolen ?? 0n;
  const bit = stolen.toString(2).length - 1;
  const alias =
    stolen === 0n
      ? ({ preset: "none", strategy: "none" } as const)
      : ({ preset: `bits:${bit}`, strategy: "precise" } as const);
  const vm = createVm({ alias });
  for (const { gpa, bytes, isReadOnly } of memory.slots.values())
    vm.memslots.add({ gpa: Number(gpa), bytes: Number(bytes), ...(isReadOnly && { readonly: true }) });
  forEachPage(memory, (gpa, page) => vm.memory.write(gpa, page));
  const { maxphyaddr = null, isAmd, hasGigabytePages } = features;
  const offered = GUEST_FEATURES.filter((each) => each !== "pdpe1gb" || hasGigabytePages);
  vm.setGuestCpuid({ maxphyaddr, vendor: isAmd ? "amd" : "intel", features: offered });
  return vm;
}

/** Pages that hold anything, by where a slot shows them. */
function forEachPage(memory: GuestMemory, take: (gpa: number, page: Uint8Array) => void): void {
  const pages = new Set([...memory.words.keys()].map((offset) => offset - (offset % PAGE)));
  for (const slot of memory.slots.values())
    for (const offset of pages) {
      if (offset < slot.offset || offset >= slot.offset + slot.bytes) continue;
      const words = Array.from({ length: 512 }, (_, n) => memory.words.get(offset + BigInt(n) * 8n) ?? 0n);
      take(Number(slot.gpa + offset - slot.offset), new Uint8Array(BigUint64Array.from(words).buffer));
    }
}

/** What the walk has marked is the guest's memory from now on. */
function takeMarks(vm: Vm, memory: GuestMemory): void {
  forEachPage(memory, (gpa) => {
    const words = new BigUint64Array(vm.memory.read(gpa, Number(PAGE)).slice().buffer);
    for (const [n, word] of words.entries()) memory.store(BigInt(gpa + n * 8), word);
  });
}

function translated(vm: Vm, memory: GuestMemory, address: bigint, access: bigint): GuestTranslation {
  const kinds: Access[] = ["read"];
  if ((access & WRITE) !== 0n) kinds.push("write");
  if ((access & FETCH) !== 0n) kinds.push("fetch");
  const who = { user: (access & USER) !== 0n, implicit: (access & IMPLICIT) !== 0n };
  const answer = vm.translate(address, kinds, who);
  takeMarks(vm, memory);
  return answer;
}

type Answered = GuestTranslation & { readonly ended: "mapped" };
const mappingOf = ({ gpa, level, granted }: Answered): Translation => ({
  gpa,
  gfn: gpa / PAGE,
  level,
  granted,
});

export class EngineGuest extends AGuest {
  override access(access: bigint, address = ADDRESS): Outcome {
    using vm = vmOf(this.features, this.memory);
    // The processor loads PAE's root entries with CR3.
    const isPae = this.shape.mode === "pae";
    if (isPae && this.memory.slots.size > 0)
      vm.memory.write(Number(this.root), new Uint8Array(BigUint64Array.from(this.pdptrs).buffer));
    vm.setGuestRegisters(this.registers);
    const answer = translated(vm, this.memory, address, access);
    if (answer.ended === "mapped") return mappingOf(answer);
    if (answer.ended === "noAddress") return { fault: undefined };
    const { errorCode, nested } = answer.fault;
    return { fault: { vector: 14, errorCode: BigInt(errorCode), address: answer.fault.address, nested } };
  }
}

/** A nested guest without paging of its own, so that EPT alone has a say. It asks to read, whatever else it asks. */
export class EngineEpt extends AnEpt {
  override walk(address: bigint, access: bigint): ReturnType<AnEpt["walk"]> {
    const { eptp, features, capabilities } = this.ept;
    using vm = vmOf(features, this.memory);
    const { executeOnly: hasExecuteOnly, oneGigabyte: has1g, twoMegabytes: has2m } = capabilities;
    vm.setNestedPaging({ kind: "ept", eptp, hasExecuteOnly, has1g, has2m });
    vm.setGuestRegisters({ cr0: CR0_ET });
    const answer = translated(vm, this.memory, address, access);
    if (answer.ended === "mapped") return mappingOf(answer) as ReturnType<AnEpt["walk"]> & Translation;
    if (answer.ended === "noAddress") throw new Error("every address but that of all ones is one");
    return { fault: eptFaultOf(answer.fault) } as ReturnType<AnEpt["walk"]>;
  }
}

function eptFaultOf(fault: (GuestTranslation & { ended: "fault" })["fault"]): EptFault {
  const exit = (fault.errorCode & MISCONFIGURED) !== 0 ? "misconfiguration" : "violation";
  return {
    vector: 14,
    nested: true,
    exit,
    errorCode: BigInt(fault.errorCode),
    address: fault.address,
    qualification: BigInt(fault.qualification),
  };
}
