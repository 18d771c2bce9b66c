/** What a walk that fails reports: a page fault, vector 14. */
import { FETCH, USER, WRITE } from "./access.js";
import { has } from "./bits.js";
import { hasNoExecute, hasSmep, type Registers } from "./registers.js";

export interface Fault {
  readonly vector: 14;
  readonly errorCode: bigint;
  /** As walked: no bit is dropped. */
  readonly address: bigint;
  /** Whether L1 is told, whose tables beneath those of L2 failed, instead of the guest that made the access. */
  readonly nested: boolean;
}

/** What L1 gets for a walk of its EPT: an exit in place of a page fault. KVM: nested_ept_inject_page_fault(). */
export interface EptFault extends Fault {
  readonly nested: true;
  readonly exit: "misconfiguration" | "violation" | "log-full";
  /** Bits 2:0 the access, 5:3 what the entries read so far allow together; bits 7 and 8 are the real exit's. */
  readonly qualification: bigint;
}

/** A guest that can tell fetches apart is told; `why` is P, RSVD and PK, or 0 for what was not there. */
export function faultOf(registers: Registers, address: bigint, access: bigint, why: bigint): Fault {
  const tellsFetch = hasNoExecute(registers) || hasSmep(registers);
  const fetch = has(access, FETCH) && tellsFetch ? FETCH : 0n;
  return { vector: 14, errorCode: why | (access & (WRITE | USER)) | fetch, address, nested: false };
}
