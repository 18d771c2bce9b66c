/** What the addon says of a guest's own tables. */

import type { NativeOutcome } from "./slot-types.js";

/** A walk's end: 0 mapped, 1 a fault, 2 no address. */
export interface NativeTranslation {
  readonly ended: number;
  /** Of the leaf; 0 where paging is off. */
  readonly level: number;
  /** X 1, W 2, U 4. */
  readonly granted: number;
  readonly gpa: bigint;
  readonly errorCode: bigint;
  readonly address: bigint;
  readonly nested: boolean;
  readonly qualification: bigint;
  /** Four words each: gpa, entry, level, and 1 for one of the second level. */
  readonly references?: BigUint64Array;
}

export interface NativeGuest {
  /** `features`: a bit for each of `GUEST_FEATURES`, in order. */
  setGuestCpuid(vcpu: number, maxphyaddr: number | undefined, isAmd: boolean, features: number): void;
  /** cr0, cr3, cr4, efer, rflags, pkru, CS.L; `flagsAlone`: but RFLAGS and PKRU, all are as they were. */
  setGuestRegisters(vcpu: number, registers: BigUint64Array, flagsAlone: boolean): void;
  guestRegisters(vcpu: number): BigUint64Array;
  loadGuestCr3(vcpu: number, cr3: bigint): void;
  /** ept: the EPTP, and bits for 2M, 1G and execute-only; npt: registers, CR3 being the nested one. */
  setNestedPaging(vcpu: number, kind: "none" | "ept" | "npt", words?: BigUint64Array): void;
  /** From now on accesses, of events too, are by guest-virtual address; the column `access` may have 8 for CPL 3. */
  addressByGva(byGva: boolean): void;
  accessGva(vcpu: number, gva: bigint, access: number): NativeOutcome;
  /** What the guest's tables refused of the vCPU's last access by GVA. */
  guestFault(vcpu: number): NativeTranslation | undefined;
  writeGuestMemory(gpa: number | bigint, bytes: Uint8Array): void;
  readGuestMemory(gpa: number | bigint, bytes: number): Uint8Array;
  /** `access`: bits of a fault's error code. */
  translate(vcpu: number, address: bigint, access: bigint, references: boolean): NativeTranslation;
  /** `block`: columns for `capacity` rows, as lib/columns/translation-batch.ts lays them out. */
  translateBatch(vcpu: number, access: bigint, block: Uint8Array, capacity: number, count: number): void;
}
