/**
 * One operation of a vector on roots, asked of the machine's own kernel. The
 * answer is worded as in the recorded vectors.
 *
 * KVM_PRE_FAULT_MEMORY loads the vCPU's root before it finds that there is no
 * second dimension; what that cost is in the VM's statistics.
 */
import type { NativeLiveKvm } from "../../native/live-types.js";
import type { VectorAnswer, VectorOp } from "../../vectors/types.js";
import { cpuidWords } from "../cpuid.js";
import { Unaskable } from "../live-kind.js";

/** In the order in which an answer has them. */
export const COUNTED = [
  "mmu_cache_miss",
  "mmu_shadow_zapped",
  "remote_tlb_flush_requests",
  "mmu_recycled",
] as const;

const DONE = "0";
const ARENA = 2n ** 45n;
const ARENA_BYTES = 2n ** 30n;
const DISABLE_QUIRKS2 = 213;
const FEATURES = ["lm", "nx", "smep", "smap", "pku"];

export class RootsAsker {
  readonly #live: NativeLiveKvm;
  #vcpu = 0;
  #vcpus = 0;

  constructor(live: NativeLiveKvm) {
    this.#live = live;
  }

  answer(op: VectorOp): VectorAnswer {
    const isNew = op[0] === "vm";
    const before = isNew ? COUNTED.map(() => 0) : this.#counts();
    const [outcome, ...value] = this.#ask(op);
    const after = this.#counts();
    return [outcome, after.map((count, at) => count - (before[at] as number)), ...value];
  }

  #counts(): number[] {
    return COUNTED.map((name) => this.#live.statistic(name) ?? 0);
  }

  #ask(op: VectorOp): readonly [outcome: string, value?: unknown] {
    const live = this.#live;
    switch (op[0]) {
      case "vm":
        return [this.#newVm()];
      case "vcpu":
        return [this.#select(op[1] as number)];
      case "slot":
        return [this.#setSlot(op)];
      case "sregs":
        return [this.#setRegisters(op)];
      case "cpuid":
        return [this.#setCpuid(op[1] as number)];
      case "prefault":
        return [live.prefault(this.#vcpu, big(op[1]), big(op[2]), big(op[3]))];
      case "nr_mmu_pages":
        return [live.setMmuPages(BigInt(op[1] as number))];
      case "disable_quirks2":
        return [live.enableCap(DISABLE_QUIRKS2, 0, big(op[1]))];
      case "translate":
        return this.#translate(big(op[1]));
      default:
        throw new Unaskable(`no such operation: ${op[0]}`);
    }
  }

  #newVm(): string {
    const made = this.#live.createVm(0);
    [this.#vcpu, this.#vcpus] = [0, 1];
    return made === DONE ? this.#live.createVcpu(0) : made;
  }

  #select(number: number): string {
    if (number > this.#vcpus) throw new Unaskable(`vCPU ${number} before vCPU ${this.#vcpus}`);
    this.#vcpu = number;
    if (number < this.#vcpus) return DONE;
    this.#vcpus++;
    return this.#live.createVcpu(number);
  }

  /** Every recorded one succeeds. */
  #setSlot([, id, gpa, size, flags, offset]: VectorOp): string {
    const [bytes, at] = [big(size), big(offset)];
    if (at + bytes > ARENA_BYTES) throw new Unaskable("a slot past the process' memory");
    const region = { slot: id as number, flags: flags as number, gpa: big(gpa), bytes, hva: ARENA + at };
    const outcome = this.#live.setMemslot({ ...region, isOldIoctl: true, memfd: -1, memfdOffset: 0n });
    if (outcome !== DONE) throw new Unaskable(`a slot is refused: ${outcome}`);
    return outcome;
  }

  #setRegisters([, cr0, cr3, cr4, efer, csl]: VectorOp): string {
    const registers = { cr0: big(cr0), cr3: big(cr3), cr4: big(cr4), efer: big(efer), code64: csl === 1 };
    return this.#live.setRegisters(this.#vcpu, registers);
  }

  #setCpuid(maxphyaddr: number): string {
    return this.#live.setCpuid(this.#vcpu, cpuidWords({ vendor: "intel", maxphyaddr, feat: FEATURES }));
  }

  #translate(gva: bigint): readonly [string, unknown] {
    const [outcome, isValid, address] = this.#live.translate(this.#vcpu, gva);
    return [outcome, isValid ? `0x${address.toString(16)}` : null];
  }
}

function big(value: unknown): bigint {
  return BigInt(value as string);
}
