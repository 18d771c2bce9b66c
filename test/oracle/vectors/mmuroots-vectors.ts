/**
 * Recorded VMs that load and drop roots, played against the reference. Rules of
 * the recorded kernel alone are here: paging without long mode is dropped in
 * silence, CR4 bits are allowed whatever CPUID says.
 */

import type { Vcpu } from "../reference-roots/vcpu.js";
import { ShadowVm } from "../reference-roots/vm.js";
import { bit, bits, has } from "../reference-walker/bits.js";
import { NO_CPUID } from "../reference-walker/features.js";
import { CR0_PG, EFER_LME, type Registers } from "../reference-walker/registers.js";
import { mayBeSet } from "../reference-walker/set-registers.js";

type Word = string | number;
export type RootsOp = readonly [string, ...Word[]];
export type RootsAnswer = readonly [string, readonly [number, number, number, number], ...unknown[]];

export interface RootsVector {
  readonly id: string;
  readonly kind: string;
  readonly ops: readonly RootsOp[];
  readonly res: readonly RootsAnswer[];
}

const LOGS_DIRTY = 1;
const READ_ONLY = 2;
const QUIRK_SLOT_ZAP_ALL = 0x80n;
const CR4_ALLOWED = bits(11, 0) | bit(16) | bit(18) | bit(20) | bit(21) | bit(22);
const PAGE = 4096n;
const U64 = 1n << 64n;

export class RootsVm {
  readonly vm = new ShadowVm();
  #selected = 0;

  answer(op: RootsOp): RootsAnswer {
    const before = { ...this.vm.statistics };
    const [outcome, ...value] = this.#ask(op);
    const { miss, zapped, flush, recycled } = this.vm.statistics;
    const grown = [miss - before.miss, zapped - before.zapped] as const;
    return [outcome, [...grown, flush - before.flush, recycled - before.recycled], ...value];
  }

  get #vcpu(): Vcpu {
    return this.vm.vcpus[this.#selected] as Vcpu;
  }

  #ask([name, ...words]: RootsOp): [string, ...unknown[]] {
    const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = words.map(BigInt);
    switch (name) {
      case "vm":
        this.vm.createVcpu();
        return ["0"];
      case "vcpu":
        return this.#select(Number(a));
      case "slot":
        return this.#setSlot(Number(a), b, c, Number(d));
      case "sregs":
        return this.#setRegisters({ ...this.#vcpu.registers, cr0: a, cr3: b, cr4: c, efer: d }, e === 1n);
      case "cr3":
        return [this.#vcpu.loadCr3(a) ? "0" : "EINVAL"];
      case "cpuid":
        this.#vcpu.setCpuid({ ...NO_CPUID, maxphyaddr: Number(a) });
        return ["0"];
      case "prefault":
        return this.#prefault(a, b, c);
      case "nr_mmu_pages":
        return [this.vm.limit.choose(Number(a)) ? "0" : "EINVAL"];
      case "disable_quirks2":
        if (has(a, QUIRK_SLOT_ZAP_ALL)) this.vm.zapsAllAtSlotEnd = false;
        return ["0"];
      case "translate":
        // Guest memory is zero, so nothing is mapped where there is paging.
        return ["0", has(this.#vcpu.registers.cr0, CR0_PG) ? null : `0x${a.toString(16)}`];
      default:
        throw new Error(`no such operation: ${name}`);
    }
  }

  #select(n: number): [string] {
    if (n === this.vm.vcpus.length) this.vm.createVcpu();
    this.#selected = n;
    return ["0"];
  }

  #setSlot(id: number, gpa: bigint, size: bigint, flags: number): [string] {
    const isReadOnly = (flags & READ_ONLY) !== 0;
    const logsDirty = (flags & LOGS_DIRTY) !== 0;
    this.vm.setSlot(id, { base: gpa / PAGE, pages: size / PAGE, isReadOnly, logsDirty });
    return ["0"];
  }

  #setRegisters(asked: Registers, isCode64: boolean): [string] {
    if (!mayBeSet({ ...asked, isCode64 }, this.#vcpu.features, CR4_ALLOWED)) return ["EINVAL"];
    const kept = has(asked.efer, EFER_LME) ? asked.cr0 : asked.cr0 & ~CR0_PG;
    this.#vcpu.setRegisters(asked, { ...asked, cr0: kept });
    return ["0"];
  }

  /** The root is loaded first; then the MMU turns out not to be two-dimensional. */
  #prefault(gpa: bigint, size: bigint, flags: bigint): [string] {
    const isBad = flags !== 0n || gpa % PAGE !== 0n || size % PAGE !== 0n || (gpa + size) % U64 <= gpa;
    if (isBad) return ["EINVAL"];
    return [this.vm.load(this.#vcpu) ? "EOPNOTSUPP" : "ENOSPC"];
  }
}
