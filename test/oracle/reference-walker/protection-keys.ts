/** What the key in the last entry forbids; only data of user pages has keys. KVM: update_pkru_bitmask() (v6.16). */
import { FETCH, type Grant, USER, WRITE } from "./access.js";
import { has } from "./bits.js";
import { hasProtectionKeys, heedsWriteProtect, type Registers } from "./registers.js";

const ACCESS_DISABLE = 1n;
const WRITE_DISABLE = 2n;

export function isForbiddenByKey(
  registers: Registers,
  granted: Grant,
  entry: bigint,
  access: bigint,
): boolean {
  if (!hasProtectionKeys(registers) || has(access, FETCH) || !granted.user) return false;
  const key = (entry >> 59n) & 15n;
  const rights = registers.pkru >> (2n * key);
  const heeded = has(access, USER) || heedsWriteProtect(registers);
  return has(rights, ACCESS_DISABLE) || (has(access, WRITE) && heeded && has(rights, WRITE_DISABLE));
}
