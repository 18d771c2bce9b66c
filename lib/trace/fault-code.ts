/**
 * The number called error_code, from one meaning to another.
 *
 * A recorded code is an EPT exit qualification (Intel) or KVM's PFERR bits.
 * Bit 7 of a qualification, "linear address valid", is set in every one that
 * comes from a guest's own access and is no PFERR bit. This file must not
 * know where codes are stored.
 */
import { ACCESS_BITS, type EventBatch } from "../columns/event-batch.js";

const { read: READ, write: WRITE, fetch: FETCH } = ACCESS_BITS as { read: 1; write: 2; fetch: 4 };
const PFERR_PRESENT = 1;
const PFERR_WRITE = 2;
const PFERR_USER = 4;
const PFERR_FETCH = 16;
const QUALIFICATION_VALID = 0x80;
/** Linear address valid, and the access was to that address. */
const QUALIFICATION_BASE = 0x180;
/** Readable and executable: what a page that is present and not writable allows. */
const QUALIFICATION_READ_ONLY = 0x28;
/** Bits 3 to 5: the page's own permissions. */
const QUALIFICATION_PERMISSIONS = 0x38;

/** PFERR bits of an access, as VMX derives them (KVM: __vmx_handle_ept_violation(), v6.16). */
export function pferrOf(batch: EventBatch, row: number): number {
  const access = batch.access[row] as number;
  return (
    (wasPresent(batch, row) ? PFERR_PRESENT : 0) +
    (access & READ ? PFERR_USER : 0) +
    (access & WRITE ? PFERR_WRITE : 0) +
    (access & FETCH ? PFERR_FETCH : 0)
  );
}

/** The exit qualification of an access, as `kvm_page_fault` prints it on Intel. */
export function qualificationOf(batch: EventBatch, row: number): number {
  const code = batch.errorCode[row] as number;
  if (isQualification(code)) return code;
  const access = batch.access[row] as number;
  return QUALIFICATION_BASE + access + (wasPresent(batch, row) ? QUALIFICATION_READ_ONLY : 0);
}

function wasPresent(batch: EventBatch, row: number): boolean {
  const code = batch.errorCode[row] as number;
  return ((isQualification(code) ? QUALIFICATION_PERMISSIONS : PFERR_PRESENT) & code) !== 0;
}

function isQualification(code: number): boolean {
  return code < 2 ** 32 && (code & QUALIFICATION_VALID) !== 0;
}
