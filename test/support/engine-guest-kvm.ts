// A KVM for tests where the machine has none, and whose vCPU has a guest's own
// tables: the engine, asked as the addon asks a kernel.
import type { NativeLiveRegion, NativeLiveRegisters } from "../../lib/native/addon-types.js";
import { EngineKvm, outcomeOf } from "./engine-kvm.js";

const LEAF_WORDS = 7;
const WIDTH_LEAF = 0x8000_0008;
/** What leaf 0 says in EBX where the vendor is AMD or Hygon. */
const AMD_LIKE = ["Auth", "Hygo"].map((text) =>
  new DataView(new TextEncoder().encode(text).buffer).getUint32(0, true),
);
const READ = 0n;

interface Shown {
  readonly gpa: bigint;
  readonly hva: bigint;
  readonly bytes: bigint;
}

export class EngineGuestKvm extends EngineKvm {
  readonly #slots = new Map<number, Shown>();
  #closed: (readonly [hva: bigint, bytes: bigint])[] = [];

  override createVm = (type: number): string => {
    this.#slots.clear();
    return this.newVm(type);
  };

  override createVcpu = (id: number): string => {
    const outcome = this.newVcpu(id);
    if (outcome === "0") this.native.setGuestCpuid(0, undefined, false, 0);
    return outcome;
  };

  override setMemslot(region: NativeLiveRegion): string {
    const outcome = super.setMemslot(region);
    if (outcome !== "0") return outcome;
    if (region.bytes === 0n) this.#slots.delete(region.slot);
    else this.#slots.set(region.slot, region);
    return outcome;
  }

  override setCpuid = (_vcpu: number, words: Uint32Array): string => {
    const leaves = Array.from({ length: words.length / LEAF_WORDS }, (_, at) =>
      words.subarray(at * LEAF_WORDS, (at + 1) * LEAF_WORDS),
    );
    const width = leaves.find(([leaf]) => leaf === WIDTH_LEAF)?.[3];
    const isAmd = AMD_LIKE.includes(leaves[0]?.[4] as number);
    return outcomeOf(() =>
      this.native.setGuestCpuid(0, width === undefined ? undefined : width % 256, isAmd, 0),
    );
  };

  override registers = () => {
    const [cr0 = 0n, cr3 = 0n, cr4 = 0n, efer = 0n, , , code64] = this.native.guestRegisters(0);
    return ["0", { cr0, cr3, cr4, efer, code64: code64 === 1n }] as const;
  };

  override setRegisters = (_vcpu: number, { cr0, cr3, cr4, efer, code64 }: NativeLiveRegisters): string => {
    const [, , , , rflags = 0n, pkru = 0n] = this.native.guestRegisters(0);
    const words = BigUint64Array.of(cr0, cr3, cr4, efer, rflags, pkru, code64 ? 1n : 0n);
    return outcomeOf(() => this.native.setGuestRegisters(0, words, false));
  };

  override setRflags = (_vcpu: number, rflags: bigint): string => {
    const words = this.native.guestRegisters(0);
    words[4] = rflags;
    return outcomeOf(() => this.native.setGuestRegisters(0, words, true));
  };

  override translate = (_vcpu: number, gva: bigint) => {
    const { ended, gpa } = this.native.translate(0, gva, READ, false);
    return ["0", ended === 0, ended === 0 ? gpa : 2n ** 64n - 1n] as const;
  };

  /** Bytes that no slot shows are zero. */
  override readMemory(hva: bigint, bytes: number): readonly [string, Uint8Array] {
    const gpa = this.#gpaOf(hva);
    return ["0", gpa === undefined ? new Uint8Array(bytes) : this.native.readGuestMemory(gpa, bytes)];
  }

  override writeMemory = (hva: bigint, bytes: Uint8Array): string => {
    const gpa = this.#gpaOf(hva);
    if (gpa !== undefined) this.native.writeGuestMemory(gpa, bytes);
    return "0";
  };

  override protect = (hva: bigint, bytes: bigint, protection: number): string => {
    this.#closed.push([hva, bytes]);
    const state = protection === 1 ? "readonly" : "none";
    return outcomeOf(() =>
      this.native.setHostMapping(Number(hva), Number(bytes), state, undefined, 1, false),
    );
  };

  override unprotect = (): string => {
    for (const [hva, bytes] of this.#closed)
      this.native.setHostMapping(Number(hva), Number(bytes), "readwrite", undefined, 1, true);
    this.#closed = [];
    return "0";
  };

  #gpaOf(hva: bigint): bigint | undefined {
    const slot = [...this.#slots.values()].find((each) => hva >= each.hva && hva < each.hva + each.bytes);
    return slot && slot.gpa + hva - slot.hva;
  }
}
