/**
 * Many addresses and where they lead, as columns: what `vm.translateBatch` takes
 * and fills in.
 *
 * One block of memory; a column begins where the one before it ends, widest
 * first. `native/binding/vm_guest.cpp` has the same.
 */
import { expectInteger } from "../expect.js";

/** Ends of a walk, by their number in the column `ended`. */
export const ENDS = ["mapped", "fault", "noAddress"] as const;

const ROW_BYTES = 8 + 8 + 4 + 3;
const MOST_ROWS = 2 ** 26;

export class TranslationBatch {
  readonly capacity: number;
  /** Rows that count, from the first on; every one at first. */
  count: number;
  /** Addresses to walk. */
  readonly gva: BigUint64Array;
  /** Where they lead, alias bits included; exact below 2^53, which only a guest without paging can exceed. */
  readonly gpa: Float64Array;
  /** Of the fault, as {@link GuestFault} has it; 0 where there was none. */
  readonly errorCode: Uint32Array;
  /** 0 mapped, 1 a fault, 2 no address: {@link ENDS}. */
  readonly ended: Uint8Array;
  /** Of the leaf: 1 is 4K; 0 where none was found, or paging is off. */
  readonly level: Uint8Array;
  /** Bits: 1 fetch, 2 write, 4 user. */
  readonly granted: Uint8Array;
  /** All of it, for the addon. */
  readonly block: Uint8Array;

  /** @param capacity rows, 0 to 2^26 @throws RangeError with code `ERR_CONFIG` */
  constructor(capacity: number) {
    this.capacity = expectInteger("capacity", capacity, 0, MOST_ROWS);
    this.count = capacity;
    const buffer = new ArrayBuffer(capacity * ROW_BYTES);
    this.gva = new BigUint64Array(buffer, 0, capacity);
    this.gpa = new Float64Array(buffer, capacity * 8, capacity);
    this.errorCode = new Uint32Array(buffer, capacity * 16, capacity);
    this.ended = new Uint8Array(buffer, capacity * 20, capacity);
    this.level = new Uint8Array(buffer, capacity * 21, capacity);
    this.granted = new Uint8Array(buffer, capacity * 22, capacity);
    this.block = new Uint8Array(buffer);
  }
}
