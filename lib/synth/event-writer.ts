/**
 * Where a workload puts its events: rows of the batch whose turn it is.
 *
 * It gives each event its time, a microsecond after the one before. A caller
 * that meets a full writer yields until there is room.
 */
import type { Gpa } from "../address.js";
import {
  ACCESS_BITS,
  attributeBit,
  type EventBatch,
  KIND,
  type MemoryAttribute,
} from "../columns/event-batch.js";
import type { EventKind } from "../columns/layout.js";

const EVENTS_PER_SECOND = 1e6;
/** Where the selftests' guest code lies. */
const RIP = 0x40_1000;
const { read: READ, write: WRITE } = ACCESS_BITS as { read: 1; write: 2 };

export class EventWriter {
  #batch: EventBatch;
  #row = 0;
  /** Events before this batch. */
  #before = 0;
  #limit: number;
  readonly #most: number;

  /** @param most events of the whole run */
  constructor(batch: EventBatch, most: number) {
    this.#batch = batch;
    this.#most = most;
    this.#limit = Math.min(batch.capacity, most);
  }

  /** Whether there is no room until the batch was taken. */
  get isFull(): boolean {
    return this.#row >= this.#limit;
  }

  /** Events so far. */
  get events(): number {
    return this.#before + this.#row;
  }

  /** Whether no event may follow. */
  get isOver(): boolean {
    return this.events >= this.#most;
  }

  access(gpa: Gpa, vcpu: number, writes: boolean): void {
    this.#push(KIND.access, gpa, 0, vcpu, writes ? WRITE : READ, RIP);
  }

  /** An operation of the VMM or the host; for `hva-*` and `age` the range is of host addresses. */
  operation(kind: Exclude<EventKind, "access" | "attributes">, start = 0, bytes = 0): void {
    this.#push(KIND[kind], start, bytes, 0, 0, 0);
  }

  attributes(gpa: Gpa, bytes: number, attribute: MemoryAttribute): void {
    this.#push(KIND.attributes, gpa, bytes, 0, attributeBit(attribute), 0);
  }

  /** Hands the rows over and goes on in another batch. */
  take(next: EventBatch): EventBatch {
    const taken = this.#batch;
    taken.count = this.#row;
    this.#before += this.#row;
    this.#batch = next;
    this.#row = 0;
    this.#limit = Math.min(next.capacity, this.#most - this.#before);
    return taken;
  }

  // Not through the batch's own methods: they check what is known here, at twice the cost.
  #push(kind: number, gpa: number, bytes: number, vcpu: number, access: number, rip: number): void {
    if (this.#row >= this.#limit) return;
    const row = this.#row++;
    const batch = this.#batch;
    batch.gpa[row] = gpa;
    batch.bytes[row] = bytes;
    batch.errorCode[row] = 0;
    batch.vcpu[row] = vcpu;
    batch.kind[row] = kind;
    batch.access[row] = access;
    const { time, ripLow, ripHigh } = batch;
    if (time === undefined) return;
    time[row] = (this.#before + row) / EVENTS_PER_SECOND;
    (ripLow as Uint32Array)[row] = rip;
    (ripHigh as Uint32Array)[row] = 0;
  }
}
