/**
 * Files of guest_memfd, and which of their pages memslots hold. KVM:
 * kvm_gmem_create(), kvm_gmem_bind() (v6.16).
 */
import { meets, PAGE_BYTES, type Range } from "./frames.js";
import { Refusal } from "./types.js";

/** Instead of a file's number: no open file, and one of another kind. */
export const NO_FILE = -1;
export const OTHER_FILE = -2;

export interface Binding {
  readonly file: number;
  /** Bytes of the file. */
  readonly range: Range;
}

export class GuestMemfds {
  /** Bytes of each file. */
  private readonly files: number[] = [];
  private readonly bound = new Map<number, Binding>();

  /** Returns the file's number, from 0. */
  create(bytes: number, flags: number, known: number): number {
    const hasUnknown = Math.floor(flags / (known + 1)) > 0;
    if (hasUnknown || bytes <= 0 || bytes % PAGE_BYTES !== 0) throw new Refusal("ERR_GUEST_MEMFD", "EINVAL");
    return this.files.push(bytes) - 1;
  }

  bind(slot: number, file: number, range: Range): void {
    const bytes = this.files[file];
    if (bytes === undefined && file !== OTHER_FILE) throw new Refusal("ERR_MEMSLOT_BAD_FD", "EBADF");
    const isOutside = bytes === undefined || range.end > bytes;
    const isTaken = [...this.bound.values()].some(
      (other) => other.file === file && meets(other.range, range),
    );
    if (isOutside || isTaken) throw new Refusal("ERR_MEMSLOT_MEMFD", "EINVAL");
    this.bound.set(slot, { file, range });
  }

  unbind(slot: number): void {
    this.bound.delete(slot);
  }
}
