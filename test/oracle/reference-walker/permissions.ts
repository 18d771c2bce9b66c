/**
 * What the rights of all entries on the way forbid, protection keys apart.
 * KVM: update_permission_bitmask(), permission_fault() (v6.16).
 */
import { FETCH, type Grant, IMPLICIT, USER, WRITE } from "./access.js";
import { has } from "./bits.js";
import { NO_EXECUTE, USER_PAGE, WRITABLE } from "./entries.js";
import { hasNoExecute, hasSmap, hasSmep, heedsWriteProtect, type Registers, RFLAGS_AC } from "./registers.js";

/** Rights of a walk: each entry may only take some away. */
export const ALL_RIGHTS: Grant = { user: true, write: true, execute: true };

export const restricted = (granted: Grant, entry: bigint): Grant => ({
  user: granted.user && has(entry, USER_PAGE),
  write: granted.write && has(entry, WRITABLE),
  execute: granted.execute && !has(entry, NO_EXECUTE),
});

/** SMAP lets a supervisor pass who says so by EFLAGS.AC and means this access. */
const isSmapSuspended = ({ rflags }: Registers, access: bigint): boolean =>
  has(rflags, RFLAGS_AC) && !has(access, IMPLICIT);

const lacksRight = (registers: Registers, granted: Grant, access: bigint): boolean => {
  const byUser = has(access, USER);
  if (byUser && !granted.user) return true;
  if (has(access, FETCH) && hasNoExecute(registers) && !granted.execute) return true;
  return has(access, WRITE) && !granted.write && (byUser || heedsWriteProtect(registers));
};

const keepsSupervisorOut = (registers: Registers, granted: Grant, access: bigint): boolean => {
  if (has(access, USER) || !granted.user) return false;
  if (has(access, FETCH)) return hasSmep(registers);
  return hasSmap(registers) && !isSmapSuspended(registers, access);
};

export const isForbidden = (registers: Registers, granted: Grant, access: bigint): boolean =>
  lacksRight(registers, granted, access) || keepsSupervisorOut(registers, granted, access);
