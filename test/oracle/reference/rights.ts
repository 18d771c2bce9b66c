/** What an access wants and what an entry gives. */

import type { Rights } from "./tlb.js";
import { FETCH, READ, WRITE } from "./types.js";

export const has = (access: number, bit: number): boolean => Math.floor(access / bit) % 2 === 1;

export function allows({ r, w, x }: Rights, access: number): boolean {
  return (r || !has(access, READ)) && (w || !has(access, WRITE)) && (x || !has(access, FETCH));
}

/** A page mapped ahead is no access of anybody's, and KVM takes it for a read. */
export const wants = ({ bits }: { readonly bits: number }): number => (bits === 0 ? READ : bits);
