/**
 * What lies beneath the tables of a guest's guest: L1's own tables, which say
 * where in memory an address of L2 is. KVM: translate_nested_gpa() (v6.16).
 */
import { type Grant, USER, WRITE } from "./access.js";
import type { EptFault, Fault } from "./fault.js";

export interface Placed {
  readonly gpa: bigint;
  readonly granted: Grant;
}

export interface NestedFailure {
  readonly fault: Fault | EptFault | undefined;
}

/** Translates one address of L2; it knows its own tables and memory. */
export type SecondLevel = (gpa: bigint, access: bigint) => Placed | NestedFailure;

/** Every access is a user's, which EPT takes for a read: a fetch from a page that may only be executed fails here. */
export const placed = (beneath: SecondLevel, gpa: bigint, access: bigint): Placed | NestedFailure =>
  beneath(gpa, access | USER);

/** Tables of L2 have Accessed and Dirty in every mode, so a walk of them may write: it asks for that at once. */
export const placedTable = (beneath: SecondLevel, table: bigint): Placed | NestedFailure =>
  placed(beneath, table, WRITE);

/** What both levels together leave; `user` stays what L2's own tables say. */
export const combined = (own: Grant, beneath: Grant): Grant => ({
  user: own.user,
  write: own.write && beneath.write,
  execute: own.execute && beneath.execute,
});
