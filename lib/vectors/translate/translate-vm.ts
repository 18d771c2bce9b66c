/**
 * Does to the engine what a recorded step did to a kernel, and words the
 * answers the same way.
 */
import { nativeConfigOf } from "../../config/engine.js";
import { resolveConfigWith } from "../../config.js";
import type { NativeAddon, NativeVm } from "../../native/addon-types.js";
import { ARENA, Arena, changesBetween } from "./arena.js";
import type { StepAnswer, TranslateStep } from "./step.js";

const DIRTY_LOG_RING = 223;
const ARENA_BYTES = 2 ** 21;
/** KVM_TRANSLATE asks as a supervisor who reads data. */
const READ = 0n;
const MAPPED = 0;

export class TranslateVm {
  readonly #native: NativeVm;
  readonly #arena: Arena;
  readonly #hasRing: boolean;
  #protected: readonly (readonly [hva: number, bytes: number])[] = [];

  /** `ring`: bytes of a vCPU's dirty ring, if there is one. */
  constructor(addon: NativeAddon, ring: string | undefined) {
    const config = { kernel: "pvm-6.18", mmu: "rmap", hostMaxphyaddr: 48, arenaBytes: ARENA_BYTES } as const;
    this.#native = new addon.Vm({ ...nativeConfigOf(resolveConfigWith(addon, config)), vcpus: 0 });
    this.#arena = new Arena(this.#native);
    this.#hasRing = ring !== undefined;
    if (ring !== undefined) this.#native.enableCap(DIRTY_LOG_RING, 0, BigInt(ring));
    this.#native.createVcpu(0);
    this.#native.setGuestCpuid(0, undefined, false, 0);
  }

  close(): void {
    this.#native.close();
  }

  answer(step: TranslateStep): StepAnswer {
    for (const slot of step.slots ?? []) this.#arena.setSlot(slot);
    for (const [gpa, value] of step.mem ?? []) this.#arena.store(BigInt(gpa), BigInt(value));
    this.#protect(step.prot ?? []);
    const answered = {
      ...(step.cpuid && this.#setCpuid(step.cpuid)),
      ...(step.sregs && this.#setRegisters(step.sregs)),
    };
    if (step.rflags !== undefined) this.#setFlags(BigInt(step.rflags));
    const before = this.#arena.words();
    const pa = step.gvas.map((gva) => this.#translate(BigInt(gva)));
    return { ...answered, pa, mem: changesBetween(before, this.#arena.words()), ...this.#takeLogs() };
  }

  /** A step's protections are its own. */
  #protect(ranges: NonNullable<TranslateStep["prot"]>): void {
    for (const [hva, bytes] of this.#protected)
      this.#native.setHostMapping(hva, bytes, "readwrite", undefined, 1, true);
    this.#protected = ranges.map(([offset, size]) => [ARENA + Number(offset), Number(size)]);
    for (const [offset, size, state] of ranges)
      this.#native.setHostMapping(
        ARENA + Number(offset),
        Number(size),
        state === "ro" ? "readonly" : "none",
        undefined,
        1,
        false,
      );
  }

  #setCpuid({ vendor, maxphyaddr }: NonNullable<TranslateStep["cpuid"]>): StepAnswer {
    const isAmd = vendor === "amd" || vendor === "hygon";
    this.#native.setGuestCpuid(0, maxphyaddr ?? undefined, isAmd, 0);
    return { cpuid: "0" };
  }

  #setRegisters({ cr0, cr3, cr4, efer, csl }: NonNullable<TranslateStep["sregs"]>): StepAnswer {
    const [, , , , rflags = 0n, pkru = 0n] = this.#native.guestRegisters(0);
    const control = [cr0, cr3, cr4, efer].map(BigInt);
    const asked = BigUint64Array.of(...control, rflags, pkru, BigInt(csl));
    const sregs = errnoOf(() => this.#native.setGuestRegisters(0, asked, false));
    const after = [...this.#native.guestRegisters(0).subarray(0, 4)].map((word) => `0x${word.toString(16)}`);
    return { sregs, after };
  }

  #setFlags(rflags: bigint): void {
    const registers = this.#native.guestRegisters(0);
    registers[4] = rflags;
    this.#native.setGuestRegisters(0, registers, true);
  }

  #translate(gva: bigint): string | null {
    const { ended, gpa } = this.#native.translate(0, gva, READ, false);
    return ended === MAPPED ? `0x${gpa.toString(16)}` : null;
  }

  #takeLogs(): StepAnswer {
    if (this.#hasRing) return { ring: this.#emptyRing() };
    const logs = this.#arena.logged.map((slot) => [slot, pagesIn(this.#native.dirtyLog(slot, false))]);
    return logs.length === 0 ? {} : { dirty: Object.fromEntries(logs) };
  }

  #emptyRing(): number[][] {
    const { slot, page } = this.#native.collectRing(0, 0);
    this.#native.resetRings();
    return Array.from(slot, (each, at) => [each, page[at] as number]);
  }
}

function errnoOf(act: () => void): string {
  try {
    act();
    return "0";
  } catch (error) {
    const errno = error instanceof Error && "errno" in error ? error.errno : "";
    if (typeof errno === "string" && errno !== "") return errno;
    throw error;
  }
}

function pagesIn(log: BigUint64Array): number[] {
  return [...log].flatMap((word, at) =>
    Array.from({ length: 64 }, (_, bit) => bit)
      .filter((bit) => (word >> BigInt(bit)) % 2n === 1n)
      .map((bit) => at * 64 + bit),
  );
}
