/** What a walk that fails reports: a page fault, vector 14. */
import { FETCH, USER, WRITE } from "./access.js";
import { has } from "./bits.js";
import { hasNoExecute, hasSmep, type Registers } from "./registers.js";

export interface Fault {
  readonly vector: 14;
  readonly errorCode: bigint;
  /** As walked: no bit is dropped. */
  readonly address: bigint;
  /** Never set: these are the tables that the vCPU itself runs on. */
  readonly nested: false;
}

/** A guest that can tell fetches apart is told; `why` is P, RSVD and PK, or 0 for what was not there. */
export function faultOf(registers: Registers, address: bigint, access: bigint, why: bigint): Fault {
  const tellsFetch = hasNoExecute(registers) || hasSmep(registers);
  const fetch = has(access, FETCH) && tellsFetch ? FETCH : 0n;
  return { vector: 14, errorCode: why | (access & (WRITE | USER)) | fetch, address, nested: false };
}
