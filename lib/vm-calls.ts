/**
 * What a VMM asks of KVM beside memslots: capabilities, vCPUs, files of private
 * memory, dirty rings, and guest memory that KVM itself touches. And audits in
 * the course of runs.
 *
 * Types are checked here; what KVM would refuse is refused by the core.
 */
import type { Gpa } from "./address.js";
import { type Outcome, outcomeOf } from "./columns/outcome-batch.js";
import type { ResolvedVmConfig } from "./config.js";
import { attempt } from "./errors.js";
import { expectInteger, wrongType } from "./expect.js";
import type { NativeTransfer, NativeVm } from "./native/addon-types.js";
import { NativeQueries } from "./vm-queries.js";

/** Capabilities that {@link VmCalls.enableCap} knows, by KVM's numbers. */
export const KVM_CAP = {
  manualDirtyLogProtect2: 168,
  dirtyLogRing: 192,
  dirtyLogRingAcqRel: 223,
} as const;

const U32 = 2 ** 32 - 1;

/** An entry of a dirty ring: the slot as `as_id << 16 | id`, and a page counted from its start. */
export interface RingEntry {
  readonly slot: number;
  readonly page: number;
}

/** What came of an access to guest memory that KVM made itself. */
export interface GuestTransfer {
  readonly bytesDone: number;
  /** EFAULT behind what was done: no slot, or for a write a read-only one. */
  readonly faulted: boolean;
  /** What was done, cut at pages, in order. */
  readonly pieces: readonly { readonly hva: number; readonly bytes: number }[];
}

/** Every method throws MmuError `ERR_CLOSED` once the VM is closed and `ERR_BUSY` while a run is in flight. */
export interface VmCalls {
  /**
   * KVM_ENABLE_CAP. 168 with 1 makes reading a dirty log clear nothing, with 3 a new log have every page as well; 192
   * and 223 make rings of `arg0` bytes, which needs a VM without vCPUs (KVM: kvm_vm_ioctl_enable_cap(), v6.16).
   *
   * @param arg0 an integer in [0, 2^64)
   * @throws MmuError `ERR_CAPABILITY` (EINVAL), `ERR_RING_TOO_LARGE` (E2BIG)
   */
  enableCap(cap: number, arg0: number | bigint, flags?: number): void;
  /** KVM_CAP_DISABLE_QUIRKS2. 0x80: a slot's end takes its own mappings alone. @throws MmuError `ERR_CAPABILITY` */
  disableQuirks(mask: number | bigint): void;
  /**
   * KVM_CREATE_VCPU. Returns the number by which events name it: how many there were before.
   *
   * @param id 0 to 65535; kernel `pvm-6.18` takes up to 4095
   * @throws MmuError `ERR_VCPU` (EINVAL), `ERR_VCPU_EXISTS` (EEXIST)
   */
  createVcpu(id: number): number;
  /**
   * KVM_CREATE_GUEST_MEMFD. Returns the number by which `memslots.set` names the file, as `memfd`.
   *
   * @throws MmuError `ERR_GUEST_MEMFD` (EINVAL); `ERR_UNSUPPORTED` where the kernel has none
   */
  createGuestMemfd(bytes: number | bigint, flags?: number): number;
  /**
   * The VMM reads a vCPU's dirty ring where it stopped last.
   *
   * @param most 0 for all there are @default 0
   * @throws MmuError `ERR_NO_DIRTY_RING`, `ERR_VCPU`
   */
  collectRing(vcpu?: number, most?: number): RingEntry[];
  /**
   * KVM_RESET_DIRTY_RINGS: gives back what was collected, and flushes everything if that was something.
   *
   * @throws MmuError `ERR_NO_DIRTY_RING` (EINVAL)
   */
  resetRings(): Outcome & { readonly entries: number };
  /**
   * The guest writes a memory type range register, on every vCPU: WRMSR. What it may affect is zapped while MTRRs are
   * on (KVM: kvm_mtrr_set_msr(), v5.10). All are 0, and so off, at first.
   *
   * @param msr 0x200 to 0x20f: base and mask of eight variable ranges by turns; 0x250, 0x258, 0x259, 0x268 to 0x26f:
   * types of the first MiB; 0x2ff: default type, bits 10 and 11 to turn fixed ranges and all on
   * @param value as the Intel SDM has it: below 2^64, within the guest's physical width where it is an address
   * @throws MmuError `ERR_MTRR` where a processor answers #GP; `ERR_UNSUPPORTED` without `host.memoryTypes`, and for a
   * vendor or strategy that ignores MTRRs
   */
  setMtrr(msr: number, value: number | bigint): Outcome;
  /**
   * KVM writes guest memory while a vCPU runs: page after page, each then dirty, until one cannot be written (KVM:
   * kvm_write_guest(), v6.16).
   *
   * @param gpa an integer in [0, 2^64), without alias bits
   * @param bytes at most 2^30
   * @throws RangeError with code `ERR_CONFIG`; MmuError `ERR_VCPU`
   */
  guestWrite(gpa: Gpa | bigint, bytes: number, vcpu?: number): GuestTransfer;
  /** The same for a read: nothing is dirty by it, but what the host had taken out of memory is in it again. */
  guestRead(gpa: Gpa | bigint, bytes: number): GuestTransfer;
  /**
   * Audits the VM, and from here on after every so many events as well, in runs too, whatever their batches are; 0 ends
   * that. What these audits find counts in `violations()`, each time it is found, and `firstEvent` is the event before.
   * Nothing is done now if nothing has happened since the last of them.
   *
   * @param events an integer in [0, 2^53)
   * @throws RangeError with code `ERR_CONFIG`; MmuError `ERR_OUT_OF_MEMORY`
   */
  auditEvery(events: number): void;
}

/** The calls of one native VM. */
export class NativeCalls extends NativeQueries implements VmCalls {
  readonly #native: NativeVm;

  constructor(native: NativeVm, config: ResolvedVmConfig) {
    super(native, config);
    this.#native = native;
  }

  enableCap(cap: number, arg0: number | bigint, flags = 0): void {
    expectInteger("cap", cap, 0, U32);
    expectInteger("flags", flags, 0, U32);
    attempt(() => this.#native.enableCap(cap, flags, expectU64("arg0", arg0)));
  }

  disableQuirks(mask: number | bigint): void {
    attempt(() => this.#native.disableQuirks(expectU64("mask", mask)));
  }

  createVcpu(id: number): number {
    expectInteger("id", id, 0, U32);
    return attempt(() => this.#native.createVcpu(id));
  }

  createGuestMemfd(bytes: number | bigint, flags = 0): number {
    expectInteger("flags", flags, 0, Number.MAX_SAFE_INTEGER);
    return attempt(() => this.#native.createGuestMemfd(expectU64("bytes", bytes), flags));
  }

  collectRing(vcpu = 0, most = 0): RingEntry[] {
    expectInteger("vcpu", vcpu, 0, U32);
    expectInteger("most", most, 0, U32);
    const { slot, page } = attempt(() => this.#native.collectRing(vcpu, most));
    return Array.from(slot, (each, at) => ({ slot: each, page: page[at] as number }));
  }

  resetRings(): Outcome & { readonly entries: number } {
    const reset = attempt(() => this.#native.resetRings());
    return { ...outcomeOf(reset), entries: reset.entries };
  }

  setMtrr(msr: number, value: number | bigint): Outcome {
    expectInteger("msr", msr, 0, U32);
    return outcomeOf(attempt(() => this.#native.setMtrr(msr, expectU64("value", value))));
  }

  guestWrite(gpa: Gpa | bigint, bytes: number, vcpu = 0): GuestTransfer {
    expectInteger("vcpu", vcpu, 0, 65_535);
    expectInteger("bytes", bytes, 0, 2 ** 30);
    return transferOf(attempt(() => this.#native.guestWrite(vcpu, expectU64("gpa", gpa), bytes)));
  }

  guestRead(gpa: Gpa | bigint, bytes: number): GuestTransfer {
    expectInteger("bytes", bytes, 0, 2 ** 30);
    return transferOf(attempt(() => this.#native.guestRead(expectU64("gpa", gpa), bytes)));
  }

  auditEvery(events: number): void {
    expectInteger("events", events, 0, Number.MAX_SAFE_INTEGER);
    attempt(() => this.#native.auditEvery(events));
  }
}

/** A number that is an integer, or a bigint, which the engine measures. */
export function expectU64(option: string, value: unknown): number | bigint {
  if (typeof value === "bigint") return value;
  if (typeof value !== "number") throw wrongType(option, "a number or a bigint", value);
  return expectInteger(option, value, 0, Number.MAX_SAFE_INTEGER);
}

function transferOf({ bytesDone, faulted, hva, bytes }: NativeTransfer): GuestTransfer {
  const pieces = Array.from(hva, (start, at) => ({ hva: start, bytes: bytes[at] as number }));
  return { bytesDone, faulted, pieces };
}
