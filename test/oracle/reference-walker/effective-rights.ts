/** With what rights KVM maps a page for a shadow page fault once the guest's tables allow the access. */
import { type Grant, USER, WRITE } from "./access.js";
import { has } from "./bits.js";
import { hasSmep, heedsWriteProtect, type Registers } from "./registers.js";

/**
 * The tables of the hardware always heed W. Where CR0.WP is 0, a supervisor's write to a page that lacks it is
 * served by making the page the supervisor's own for now; under SMEP a supervisor did not execute it before
 * and must not now. A page without a slot keeps its rights. KVM: FNAME(page_fault) (v6.16).
 */
export function effectiveRights(
  registers: Registers,
  granted: Grant,
  access: bigint,
  hasSlot: boolean,
): Grant {
  const lends = has(access, WRITE) && !has(access, USER) && !granted.write;
  if (!lends || heedsWriteProtect(registers) || !hasSlot) return granted;
  return { user: false, write: true, execute: granted.execute && !hasSmep(registers) };
}
