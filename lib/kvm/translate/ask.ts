/**
 * A step of a translate vector, asked of the machine's own kernel. The answer
 * is worded as in the recorded vectors.
 */
import type { NativeLiveKvm } from "../../native/live-types.js";
import type { StepAnswer, TranslateStep } from "../../vectors/translate/step.js";
import { type CpuidPart, cpuidWords } from "../cpuid.js";
import { changesBetween, hexOf, LiveArena, need } from "./arena.js";

/** A step without its answer. */
export type AskedStep = Omit<TranslateStep, "exp">;

const DIRTY_LOG_RING = 223;

export class TranslateAsker {
  readonly #live: NativeLiveKvm;
  readonly #arena: LiveArena;
  readonly #hasRing: boolean;

  constructor(live: NativeLiveKvm, ring: string | undefined) {
    this.#live = live;
    this.#arena = new LiveArena(live);
    this.#hasRing = ring !== undefined;
    need(live.createVm(0), "a VM");
    if (ring !== undefined) need(live.enableCap(DIRTY_LOG_RING, 0, BigInt(ring)), "a ring");
    need(live.createVcpu(0), "a vCPU");
  }

  answer(step: AskedStep): StepAnswer {
    for (const slot of step.slots ?? []) this.#arena.setSlot(slot);
    for (const [gpa, value] of step.mem ?? []) this.#arena.store(BigInt(gpa), BigInt(value));
    const set = {
      ...(step.cpuid && { cpuid: this.#live.setCpuid(0, cpuidWords(step.cpuid as CpuidPart)) }),
      ...(step.sregs && this.#setRegisters(step.sregs)),
    };
    if (step.rflags !== undefined) need(this.#live.setRflags(0, BigInt(step.rflags)), "RFLAGS");
    const before = this.#arena.words();
    this.#arena.protect(step.prot ?? []);
    const pa = step.gvas.map((gva) => this.#translate(BigInt(gva)));
    need(this.#live.unprotect(), "opening memory");
    return { ...set, pa, mem: changesBetween(before, this.#arena.words()), ...this.#takeLogs() };
  }

  #setRegisters({ csl, ...words }: NonNullable<AskedStep["sregs"]>): StepAnswer {
    const [cr0, cr3, cr4, efer] = [words.cr0, words.cr3, words.cr4, words.efer].map(BigInt) as Four;
    const sregs = this.#live.setRegisters(0, { cr0, cr3, cr4, efer, code64: csl === 1 });
    const [outcome, now] = this.#live.registers(0);
    need(outcome, "reading registers");
    return { sregs, after: [now.cr0, now.cr3, now.cr4, now.efer].map(hexOf) };
  }

  #translate(gva: bigint): string | null {
    const [outcome, isValid, address] = this.#live.translate(0, gva);
    need(outcome, "KVM_TRANSLATE");
    return isValid ? hexOf(address) : null;
  }

  #takeLogs(): StepAnswer {
    if (this.#hasRing) return { ring: this.#emptyRing() };
    const logs = this.#arena.logged.map((slot) => [slot, this.#dirtyPages(slot)]);
    return logs.length === 0 ? {} : { dirty: Object.fromEntries(logs) };
  }

  #emptyRing(): number[][] {
    const [outcome, slot, page] = this.#live.collectRing(0, 0);
    need(outcome, "the ring");
    need(this.#live.resetRings()[0], "a reset");
    return Array.from(slot, (each, at) => [each, page[at] as number]);
  }

  #dirtyPages(slot: number): number[] {
    const [outcome, bytes] = this.#live.dirtyLog(slot, false);
    need(outcome, "a dirty log");
    return [...bytes].flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) % 2 === 1).map((bit) => at * 8 + bit),
    );
  }
}

type Four = [bigint, bigint, bigint, bigint];
