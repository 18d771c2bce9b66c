/** The addon's way to the machine's own KVM. */

/** `"0"`, or the name of the errno that the kernel gave. */
export type NativeErrno = string;

/** What the registers that decide how a guest's tables are walked hold. */
export interface NativeLiveRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  /** CS.L */
  readonly code64: boolean;
}

export interface NativeLiveRegion {
  /** `as_id << 16 | id`. */
  readonly slot: number;
  readonly flags: number;
  readonly gpa: bigint;
  readonly bytes: bigint;
  readonly hva: bigint;
  /** KVM_SET_USER_MEMORY_REGION, which has no file. */
  readonly isOldIoctl: boolean;
  /** Which guest_memfd of the VM, from 0; -1 for no open file, -2 for a file that is no guest_memfd. */
  readonly memfd: number;
  readonly memfdOffset: bigint;
}

/**
 * One VM at a time, and at most one of these in a process. vCPUs have numbers, from 0, in the order of their making;
 * none is ever run. What a VM is asked before there is one is `EBADF`, and so is what a vCPU is asked that is not there.
 */
export interface NativeLiveKvm {
  /** KVM_CHECK_EXTENSION, of the VM if there is one; 0 for what the kernel does not know. */
  extension(capability: number): number;
  /** The VM before is gone, and memory is zero and open. */
  createVm(type: number): NativeErrno;
  createVcpu(id: number): NativeErrno;
  enableCap(capability: number, flags: number, arg0: bigint): NativeErrno;
  setMemslot(region: NativeLiveRegion): NativeErrno;
  createGuestMemfd(bytes: bigint, flags: bigint): NativeErrno;
  setMmuPages(pages: bigint): NativeErrno;
  /** Byte 0 first, zeros behind; no bytes for a NULL buffer. */
  dirtyLog(slot: number, isNull: boolean): readonly [NativeErrno, Uint8Array];
  /** The buffer holds `prefix`, then `fill` for ever; undefined is NULL. */
  clearDirtyLog(
    slot: number,
    firstPage: bigint,
    pages: number,
    prefix: Uint8Array | undefined,
    fill: number,
  ): NativeErrno;
  /** Up to `most` entries of a vCPU's ring, all if 0: columns of equal length. */
  collectRing(vcpu: number, most: number): readonly [NativeErrno, slot: Uint32Array, page: Float64Array];
  resetRings(): readonly [NativeErrno, entries: number];
  setMsr(vcpu: number, msr: number, value: bigint): NativeErrno;
  /** Seven words an entry: function, index, flags, EAX, EBX, ECX, EDX. */
  setCpuid(vcpu: number, words: Uint32Array): NativeErrno;
  registers(vcpu: number): readonly [NativeErrno, NativeLiveRegisters];
  setRegisters(vcpu: number, registers: NativeLiveRegisters): NativeErrno;
  setRflags(vcpu: number, rflags: bigint): NativeErrno;
  translate(vcpu: number, gva: bigint): readonly [NativeErrno, isValid: boolean, address: bigint];
  prefault(vcpu: number, gpa: bigint, bytes: bigint, flags: bigint): NativeErrno;
  /** A statistic of the VM by KVM's name; undefined if there is none. */
  statistic(name: string): number | undefined;
  /** 1 GiB at 0x200000000000. `EFAULT` outside, and for all of it while a part is closed. */
  readMemory(hva: bigint, bytes: number): readonly [NativeErrno, Uint8Array];
  writeMemory(hva: bigint, bytes: Uint8Array): NativeErrno;
  /** `protection`: 0 nothing, 1 reading, 2 reading and writing. */
  protect(hva: bigint, bytes: bigint, protection: number): NativeErrno;
  unprotect(): NativeErrno;
  /** Idempotent; every other call is refused after it. */
  close(): void;
}
