/**
 * A batch of events: typed-array columns over one ArrayBuffer.
 *
 * The columns may be written directly; the push helpers are for convenience.
 * A batch is filled, runs, and is read, in that order and again; that state is
 * the whole protocol between decoding, the engine and whoever reads results.
 * It must not know what the engine does with a row.
 */
import { markAsUntransferable } from "node:worker_threads";
import { alignUp, type Gpa } from "../address.js";
import { MmuError } from "../errors.js";
import { expectInteger, show, wrongType } from "../expect.js";
import {
  bytesPerRow,
  columnViews,
  EVENT_KINDS,
  type EventColumns,
  type EventKind,
  type ExtraColumns,
  LAYOUT,
} from "./layout.js";

export type Access = "read" | "write" | "fetch";
export type BatchState = "filling" | "running" | "read";

/** Values of the `access` column; they equal EPT's R, W and X. */
export const ACCESS_BITS: Readonly<Record<Access, number>> = { read: 1, write: 2, fetch: 4 };

/** Values of the `kind` column by name. */
export const KIND = Object.fromEntries(EVENT_KINDS.map((name, index) => [name, index])) as Record<
  EventKind,
  number
>;

/** Bits of the `access` column of an `attributes` row. */
export const ATTRIBUTE_BITS = { private: 1, inserted: 2 } as const;

/** Who may reach a page: the guest alone, or the host as well. */
export type MemoryAttribute = "private" | "shared";

/** Whether a row was inserted by a projection, and so is no event of the trace. */
export function isInserted(kind: number, access: number): boolean {
  return kind === KIND.attributes && access >= ATTRIBUTE_BITS.inserted;
}

export const DEFAULT_BATCH = 65_536;
/** 2^24 rows are 0.7 GiB; more in one block only delays the first result. */
export const MAX_BATCH = 2 ** 24;

const EVENT_BYTES = bytesPerRow(LAYOUT.event);
const EXTRA_BYTES = bytesPerRow(LAYOUT.extra);

/** The `access` column's value: one word or several, as bits. */
export function accessBits(access: Access | readonly Access[]): number {
  const words: readonly unknown[] = Array.isArray(access) ? access : [access];
  let bits = 0;
  for (const word of words) {
    const bit = ACCESS_BITS[word as Access];
    if (bit === undefined) throw wrongType("access", `"read", "write", "fetch" or a list of them`, access);
    bits |= bit;
  }
  if (bits === 0) throw wrongType("access", "at least one of read, write and fetch", access);
  return bits;
}

/** Kinds that `pushOperation` takes: the others need more than a range. */
export type Operation = Exclude<EventKind, "access" | "attributes">;
const OPERATIONS: readonly EventKind[] = EVENT_KINDS.filter(
  (kind) => kind !== "access" && kind !== "attributes",
);

/** The `access` column's value of a change of attributes. */
export function attributeBit(attribute: MemoryAttribute): number {
  if (attribute === "private") return ATTRIBUTE_BITS.private;
  if (attribute === "shared") return 0;
  throw wrongType("attribute", `"private" or "shared"`, attribute);
}

export interface EventBatchOptions {
  /** Also carry `time` (seconds) and the two halves of `rip`. @default false */
  readonly extra?: boolean;
}

/**
 * Events in, up to `capacity` rows; rows [0, `count`) are filled.
 *
 * @example
 * const batch = new EventBatch(2);
 * batch.pushAccess(0x1000, "write");
 * batch.pushOperation("zap-all-fast");
 */
export class EventBatch implements EventColumns, Partial<ExtraColumns> {
  readonly capacity: number;
  /** The one block behind every column. It cannot be transferred to another thread. */
  readonly buffer: ArrayBuffer;
  /** Guest-physical address, alias bits included; host-virtual for `hva-invalidate`. */
  readonly gpa: Float64Array;
  /** Length of a range in bytes, 0 for an access. */
  readonly bytes: Float64Array;
  /** As recorded: exit qualification, NPF code or #PF code. Carried, not consulted. */
  readonly errorCode: Float64Array;
  readonly vcpu: Uint16Array;
  /** Index into `EVENT_KINDS`. */
  readonly kind: Uint8Array;
  /** Read is 1, write 2, fetch 4; or a sum of them. For `attributes`: 1 private, 2 put in by a projection. */
  readonly access: Uint8Array;
  /** Seconds since the trace's clock started. Only with `extra`. */
  readonly time?: Float64Array;
  /** Bits 31:0 of the instruction pointer. Only with `extra`. */
  readonly ripLow?: Uint32Array;
  /** Bits 63:32 of the instruction pointer. Only with `extra`. */
  readonly ripHigh?: Uint32Array;

  /** Rows that are filled. */
  count = 0;
  #state: Exclude<BatchState, "running"> = "filling";
  /** Runs that read the batch now: several VMs may take it at once. */
  #readers = 0;

  /** @throws TypeError or RangeError with code `ERR_CONFIG` unless capacity is an integer from 1 to 2^24. */
  constructor(capacity: number = DEFAULT_BATCH, { extra = false }: EventBatchOptions = {}) {
    this.capacity = expectInteger("capacity", capacity, 1, MAX_BATCH);
    // Behind an odd number of 28-byte rows the 8-byte columns need a gap. A
    // decoder never fills such a block (read-batches.ts): it knows no gaps.
    const extraStart = alignUp(capacity * EVENT_BYTES, 8);
    this.buffer = new ArrayBuffer(extra ? extraStart + capacity * EXTRA_BYTES : capacity * EVENT_BYTES);
    // A run writes here from another thread: whoever took the block away would free it under the run.
    markAsUntransferable(this.buffer);
    const columns = columnViews(LAYOUT.event, this.buffer, 0, capacity);
    this.gpa = columns.gpa;
    this.bytes = columns.bytes;
    this.errorCode = columns.errorCode;
    this.vcpu = columns.vcpu;
    this.kind = columns.kind;
    this.access = columns.access;
    if (extra) Object.assign(this, columnViews(LAYOUT.extra, this.buffer, extraStart, capacity));
  }

  /** Whether the batch carries `time`, `ripLow` and `ripHigh`. */
  get extra(): boolean {
    return this.time !== undefined;
  }

  get state(): BatchState {
    return this.#readers > 0 ? "running" : this.#state;
  }

  get isFull(): boolean {
    return this.count === this.capacity;
  }

  /**
   * Appends one guest access.
   *
   * @throws MmuError `ERR_BUSY` unless the batch is being filled, `ERR_BATCH` if it is full.
   */
  pushAccess(gpa: Gpa, access: Access | readonly Access[], vcpu = 0): void {
    const bits = typeof access === "string" ? ACCESS_BITS[access] : undefined;
    this.pushRow(KIND.access, gpa, 0, vcpu, bits ?? accessBits(access));
  }

  /**
   * Appends an operation of the VMM. `bytes` 0 means every slot for
   * `dirty-log-*`; `zap-all-fast` and `end` take no range; the range of
   * `hva-invalidate` is host-virtual.
   *
   * @throws as {@link pushAccess}
   */
  pushOperation(kind: Operation, gpa: Gpa = 0, bytes = 0): void {
    if (!OPERATIONS.includes(kind)) throw wrongType("kind", `one of ${OPERATIONS.join(", ")}`, kind);
    this.pushRow(KIND[kind], gpa, bytes, 0, 0);
  }

  /**
   * Appends a change of memory attributes over [gpa, gpa + bytes).
   *
   * @throws as {@link pushAccess}
   */
  pushAttributes(gpa: Gpa, bytes: number, attribute: MemoryAttribute): void {
    this.pushRow(KIND.attributes, gpa, bytes, 0, attributeBit(attribute));
  }

  /** Appends rows [start, end) of another batch; extra columns only if both carry them. */
  pushRows(from: EventBatch, start: number, end: number): void {
    this.#expect("filling", "append rows to");
    if (this.count + end - start > this.capacity) throw this.#full();
    for (const { name } of [...LAYOUT.event, ...LAYOUT.extra]) {
      const source = from[name];
      if (source !== undefined) this[name]?.set(source.subarray(start, end), this.count);
    }
    this.count += end - start;
  }

  /** Appends a row of raw column values. */
  pushRow(kind: number, gpa: number, bytes: number, vcpu: number, access: number): void {
    this.#expect("filling", "append to");
    const row = this.count;
    if (row === this.capacity) throw this.#full();
    this.gpa[row] = gpa;
    this.bytes[row] = bytes;
    this.errorCode[row] = 0;
    this.vcpu[row] = vcpu;
    this.kind[row] = kind;
    this.access[row] = access;
    if (this.time !== undefined) this.#clearExtra(row);
    this.count = row + 1;
  }

  /** Empties the batch for filling. Refused with `ERR_BUSY` while it runs. */
  reset(): void {
    if (this.#readers > 0) throw this.#wrongState("refill");
    this.count = 0;
    this.#state = "filling";
  }

  /**
   * Marks the batch as handed to an engine, which only reads it: any number of
   * them may have it at once, and one that was read may run again.
   */
  beginRun(): void {
    this.#readers++;
  }

  /** Marks one run as done; after the last one the batch may be refilled. */
  endRun(): void {
    this.#expect("running", "end the run of");
    this.#readers--;
    this.#state = "read";
  }

  #clearExtra(row: number): void {
    (this.time as Float64Array)[row] = 0;
    (this.ripLow as Uint32Array)[row] = 0;
    (this.ripHigh as Uint32Array)[row] = 0;
  }

  #expect(state: BatchState, verb: string): void {
    if (this.state !== state) throw this.#wrongState(verb);
  }

  #wrongState(verb: string): MmuError {
    return new MmuError("ERR_BUSY", `cannot ${verb} an event batch whose state is ${show(this.state)}`);
  }

  #full(): MmuError {
    const message = `event batch is full at its capacity of ${this.capacity} rows`;
    return new MmuError("ERR_BATCH", message, { values: { capacity: this.capacity } });
  }
}
