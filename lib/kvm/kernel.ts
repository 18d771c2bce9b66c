/**
 * What the machine's kernel is, asked before it is asked anything else.
 *
 * Only by ioctls that run no guest: capabilities, and how it takes registers.
 * What the engine is configured to be follows from the answers.
 */
import { release } from "node:os";
import { MmuError } from "../errors.js";
import type { NativeLiveKvm } from "../native/live-types.js";
import type { AskedKernel } from "./types.js";

/** Numbers of <linux/kvm.h>. */
export const CAP = {
  memslots: 10,
  addressSpaces: 118,
  manualProtect: 168,
  ring: 192,
  ringAcquireRelease: 223,
  memory2: 231,
  guestMemfd: 234,
  prefault: 236,
} as const;

export interface Kernel {
  readonly told: AskedKernel;
  /** Whether it is of the kind that the vectors were recorded with. */
  readonly isRecordedKind: boolean;
  has(capability: keyof typeof CAP): boolean;
  readonly countsFlushes: boolean;
}

const FLUSHES = "remote_tlb_flush_requests";
const LIKE_RECORDED = "no two-dimensional paging, and CR0.PG without EFER.LME is dropped in silence";
const UNLIKE = "it does not take registers as the one kernel does that the engine models without a guest";
const PAGING = 1n << 31n;
const PROTECTED_MODE = 1n;

/** @throws MmuError ERR_UNSUPPORTED if it lets no VM be made */
export function kernelOf(live: NativeLiveKvm, device: string): Kernel {
  const made = live.createVm(0);
  const outcome = made === "0" ? live.createVcpu(0) : made;
  if (outcome !== "0") {
    throw new MmuError("ERR_UNSUPPORTED", `${device}: it makes no VM with a vCPU (${outcome})`);
  }
  const capabilities = new Map(Object.entries(CAP).map(([name, number]) => [name, live.extension(number)]));
  const isRecordedKind = dropsPaging(live) && capabilities.get("prefault") === 0;
  const model = isRecordedKind ? "pvm-6.18" : "none";
  return {
    told: { release: release(), device, model, because: isRecordedKind ? LIKE_RECORDED : UNLIKE },
    isRecordedKind,
    has: (capability) => (capabilities.get(capability) ?? 0) > 0,
    countsFlushes: live.statistic(FLUSHES) !== undefined,
  };
}

/** PVM's way with registers: KVM accepts paging without long mode and forgets it. */
function dropsPaging(live: NativeLiveKvm): boolean {
  const [outcome, before] = live.registers(0);
  if (outcome !== "0") return false;
  const asked = { ...before, cr0: before.cr0 | PAGING | PROTECTED_MODE, efer: 0n };
  if (live.setRegisters(0, asked) !== "0") return false;
  const [again, after] = live.registers(0);
  return again === "0" && (after.cr0 & PAGING) === 0n;
}

export function flushesOf(live: NativeLiveKvm): number {
  return live.statistic(FLUSHES) ?? 0;
}
