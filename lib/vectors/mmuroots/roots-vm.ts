/**
 * Asks the engine what a vector of shadow roots asked of a kernel, and words
 * the answers the same way.
 *
 * The machine is the one that recorded them: a KVM that pages by shadow tables
 * alone. Statistics are counted as there, by how much they grew.
 */
import { nativeConfigOf } from "../../config/engine.js";
import { resolveConfigWith } from "../../config.js";
import type { NativeAddon, NativeVm, NativeVmConfig } from "../../native/addon-types.js";
import { outcomeOf } from "../outcome.js";
import type { VectorAnswer, VectorOp } from "../types.js";

/** Nothing but roots is built here, and the smallest arena is the cheapest to make. */
const ARENA_BYTES = 2 ** 21;
/** Where the process has its memory, of which slots show parts. */
const MEMORY = 2n ** 45n;
const STATISTICS = ["mmu_cache_miss", "mmu_shadow_zapped", "remote_tlb_flush_requests", "mmu_recycled"];
const NONE: readonly number[] = [0, 0, 0, 0];
/** KVM_TRANSLATE asks as a supervisor who reads data. */
const READ = 0n;
const MAPPED = 0;

/** What an op reads, if it reads anything. */
type Perform = (vm: RootsVm, op: VectorOp) => unknown;

const PERFORM: Readonly<Record<string, Perform>> = {
  vm: (vm) => vm.create(),
  vcpu: (vm, [, n]) => vm.select(n as number),
  slot: ({ native }, [, id, gpa, bytes, flags, offset]) =>
    void native.setMemslot({
      slot: id as number,
      flags: flags as number,
      gpa: big(gpa),
      bytes: big(bytes),
      hva: MEMORY + big(offset),
      backing: 1,
      isOldIoctl: true,
    }),
  sregs: (vm, [, ...words]) => vm.setRegisters(words.map(big)),
  cr3: ({ native, vcpu }, [, cr3]) => native.loadGuestCr3(vcpu, big(cr3)),
  cpuid: ({ native, vcpu }, [, width]) => native.setGuestCpuid(vcpu, width as number, false, 0),
  prefault: (vm, [, gpa, bytes, flags]) => vm.prefault(big(gpa), big(bytes), big(flags)),
  nr_mmu_pages: ({ native }, [, pages]) => void native.setMmuPages(pages as number),
  disable_quirks2: ({ native }, [, mask]) => native.disableQuirks(big(mask)),
  translate: ({ native, vcpu }, [, address]) => {
    const { ended, gpa } = native.translate(vcpu, big(address), READ, false);
    return ended === MAPPED ? `0x${gpa.toString(16)}` : null;
  },
};

export class RootsVm {
  readonly #addon: NativeAddon;
  readonly #config: NativeVmConfig;
  #native: NativeVm | undefined;
  #vcpus = 0;
  /** The selected one. */
  vcpu = 0;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
    const config = { kernel: "pvm-6.18", mmu: "rmap", hostMaxphyaddr: 48, arenaBytes: ARENA_BYTES } as const;
    this.#config = { ...nativeConfigOf(resolveConfigWith(addon, config)), vcpus: 0 };
  }

  get native(): NativeVm {
    if (this.#native === undefined) throw new Error("a vector begins with a VM");
    return this.#native;
  }

  perform(op: VectorOp): VectorAnswer {
    const before = op[0] === "vm" ? NONE : this.#statistics();
    const [outcome, ...value] = outcomeOf(() => (PERFORM[op[0]] as Perform)(this, op));
    const grown = this.#statistics().map((count, at) => count - (before[at] as number));
    return [outcome, grown, ...value];
  }

  create(): void {
    this.close();
    this.#native = new this.#addon.Vm(this.#config);
    this.#vcpus = 0;
    this.select(0);
  }

  /** The next one is made, and nobody has said what its CPUID is. */
  select(n: number): void {
    this.vcpu = n;
    if (n < this.#vcpus) return;
    this.#vcpus = this.native.createVcpu(n) + 1;
    this.native.setGuestCpuid(n, undefined, false, 0);
  }

  setRegisters([cr0 = 0n, cr3 = 0n, cr4 = 0n, efer = 0n, code64 = 0n]: readonly bigint[]): void {
    const [, , , , rflags = 0n, pkru = 0n] = this.native.guestRegisters(this.vcpu);
    this.native.setGuestRegisters(
      this.vcpu,
      BigUint64Array.of(cr0, cr3, cr4, efer, rflags, pkru, code64),
      false,
    );
  }

  /** KVM knows no flag, and looks at flags first: kvm_vcpu_pre_fault_memory(). */
  prefault(gpa: bigint, bytes: bigint, flags: bigint): void {
    const errno = flags === 0n ? this.native.prefault(this.vcpu, gpa, bytes).errno : "EINVAL";
    if (errno !== "") throw Object.assign(new Error("not mapped ahead"), { errno });
  }

  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }

  #statistics(): number[] {
    const stats = this.native.stats();
    return STATISTICS.map((name) => stats[name] as number);
  }
}

const big = (value: unknown): bigint => BigInt(value as string);
