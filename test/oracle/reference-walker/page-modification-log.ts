/** L1's own log of pages that its guest dirtied. KVM: nested_vmx_write_pml_buffer() (v6.16). */
import { PAGE_BYTES } from "./bits.js";

export const LOG_ENTRIES = 512;

export class PageModificationLog {
  /** In the order they were logged. */
  readonly pages: bigint[] = [];

  /** False, and nothing logged, once it is full. */
  add(gpa: bigint): boolean {
    if (this.pages.length >= LOG_ENTRIES) return false;
    this.pages.push(gpa - (gpa % PAGE_BYTES));
    return true;
  }
}
