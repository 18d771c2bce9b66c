/**
 * Many addresses and the entries that hardware's walks of them end with, as
 * columns: what `vm.walkBatch` takes and fills in.
 *
 * One block of memory; a column begins where the one before it ends, widest
 * first. `native/binding/vm_walk_batch.cpp` has the same.
 */
import { expectInteger } from "../expect.js";

const ROW_BYTES = 8 + 8 + 1;
const MOST_ROWS = 2 ** 26;

export class WalkBatch {
  readonly capacity: number;
  /** Rows that count, from the first on; every one at first. */
  count: number;
  /** Addresses to walk, alias bits included: integers in [0, 2^addressBits). */
  readonly gpa: Float64Array;
  /** The last entry on the way, as hardware and KVM see it; 0 where there is no root table. */
  readonly spte: BigUint64Array;
  /** The same memory as 32-bit halves, the lower one first: to read without a bigint for each. */
  readonly spteHalves: Uint32Array;
  /** Of the leaf: 1 is 4K, 2 is 2M, 3 is 1G; 0 where the walk found none, and the entry says why. */
  readonly level: Uint8Array;
  /** All of it, for the addon. */
  readonly block: Uint8Array;

  /** @param capacity rows, 0 to 2^26 @throws RangeError with code `ERR_CONFIG` */
  constructor(capacity: number) {
    this.capacity = expectInteger("capacity", capacity, 0, MOST_ROWS);
    this.count = capacity;
    const buffer = new ArrayBuffer(capacity * ROW_BYTES);
    this.gpa = new Float64Array(buffer, 0, capacity);
    this.spte = new BigUint64Array(buffer, capacity * 8, capacity);
    this.spteHalves = new Uint32Array(buffer, capacity * 8, capacity * 2);
    this.level = new Uint8Array(buffer, capacity * 16, capacity);
    this.block = new Uint8Array(buffer);
  }
}
