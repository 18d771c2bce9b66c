/** Where a guest's own tables lead: the answer of one walk. */
import type { NativeTranslation } from "./native/addon-types.js";

/** One entry that a walk read. */
export interface GuestReference {
  /** Of the entry. */
  readonly gpa: bigint;
  readonly entry: bigint;
  readonly level: number;
  /** Of the tables under the guest's own. */
  readonly isSecondLevel: boolean;
}

/** A page fault, vector 14, or what an exit of a nested guest reports. KVM: struct x86_exception (v6.16). */
export interface GuestFault {
  readonly vector: 14;
  /** Bits: P 0, W 1, U 2, RSVD 3, F 4, PK 5. P, RSVD and PK say why, the others what was asked. */
  readonly errorCode: number;
  /** As walked; of a second level the guest-physical address of the page. */
  readonly address: bigint;
  /** By the tables under the guest's own: then bits 5:0 of the exit qualification are there, and RSVD is misconfiguration. */
  readonly nested: boolean;
  readonly qualification: number;
}

export type GuestTranslation =
  | {
      readonly ended: "mapped";
      /** With whatever alias bits the leaf carries; above 2^53 only where paging is off. */
      readonly gpa: bigint;
      /** Of the leaf: 1 is 4K; 0 where paging is off. */
      readonly level: number;
      /** What the tables grant. A clean page grants no write to who reads, so that the first write is seen. */
      readonly granted: { readonly user: boolean; readonly write: boolean; readonly execute: boolean };
      readonly references?: readonly GuestReference[];
    }
  | { readonly ended: "fault"; readonly fault: GuestFault; readonly references?: readonly GuestReference[] }
  /** Paging is off, and the address of all ones stands for none. */
  | { readonly ended: "noAddress" };

const has = (word: number, mask: number): boolean => (word & mask) !== 0;

export function translationOf(native: NativeTranslation): GuestTranslation {
  const references = native.references && { references: referencesOf(native.references) };
  if (native.ended === 2) return { ended: "noAddress" };
  if (native.ended === 1) return { ended: "fault", fault: faultOf(native), ...references };
  const { gpa, level, granted } = native;
  const rights = { user: has(granted, 4), write: has(granted, 2), execute: has(granted, 1) };
  return { ended: "mapped", gpa, level, granted: rights, ...references };
}

export const faultOf = ({ errorCode, address, nested, qualification }: NativeTranslation): GuestFault => ({
  vector: 14,
  errorCode: Number(errorCode),
  address,
  nested,
  qualification: Number(qualification),
});

function referencesOf(words: BigUint64Array): GuestReference[] {
  return Array.from({ length: words.length / 4 }, (_, at) => {
    const [gpa, entry, level, second] = words.subarray(at * 4, at * 4 + 4) as unknown as bigint[];
    return { gpa, entry, level: Number(level), isSecondLevel: second === 1n } as GuestReference;
  });
}
