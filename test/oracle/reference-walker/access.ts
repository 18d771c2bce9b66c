/** What an access asks, as bits of a fault's error code, and what a walk grants. */
import { bit } from "./bits.js";

export const PRESENT_CODE = bit(0);
export const WRITE = bit(1);
export const USER = bit(2);
export const RESERVED_CODE = bit(3);
export const FETCH = bit(4);
export const KEY_CODE = bit(5);
/** The CPU itself reads on the supervisor's behalf, a descriptor say: EFLAGS.AC has no say. */
export const IMPLICIT = bit(48);
/** A supervisor's own data read asks for nothing more. */
export const READ = 0n;

export interface Grant {
  readonly user: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}
