/**
 * Events in columns, as many as there are: 20 bytes an event, no object each.
 *
 * What a replay looks at is kept, and of which event of the trace it was. It
 * must not know VMs.
 */
import { ATTRIBUTE_BITS, type EventBatch, KIND } from "../columns/event-batch.js";
import { EVENT_KINDS } from "../columns/layout.js";
import type { EventStep } from "./story.js";

const BLOCK_BITS = 16;
const BLOCK = 1 << BLOCK_BITS;
const WITHIN = BLOCK - 1;

class Block {
  readonly gpa = new Float64Array(BLOCK);
  readonly number = new Float64Array(BLOCK);
  readonly vcpu = new Uint16Array(BLOCK);
  readonly kind = new Uint8Array(BLOCK);
  readonly access = new Uint8Array(BLOCK);
}

/** Rows of events; they only grow. */
export class EventRows {
  readonly #blocks: Block[] = [];
  /** Of rows that have a range, which are few. */
  readonly #bytes = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Appends a row. What a projection put in is an event here like any other. */
  append(from: EventBatch, row: number, number: number): void {
    const at = this.#count++;
    if ((at & WITHIN) === 0) this.#blocks.push(new Block());
    const block = this.#blocks[at >>> BLOCK_BITS] as Block;
    const bytes = from.bytes[row] as number;
    const kind = from.kind[row] as number;
    block.gpa[at & WITHIN] = from.gpa[row] as number;
    block.number[at & WITHIN] = number;
    block.vcpu[at & WITHIN] = from.vcpu[row] as number;
    block.kind[at & WITHIN] = kind;
    block.access[at & WITHIN] = (from.access[row] as number) & keptOf(kind);
    if (bytes !== 0) this.#bytes.set(at, bytes);
  }

  gpa(row: number): number {
    return (this.#blocks[row >>> BLOCK_BITS] as Block).gpa[row & WITHIN] as number;
  }

  kind(row: number): number {
    return (this.#blocks[row >>> BLOCK_BITS] as Block).kind[row & WITHIN] as number;
  }

  /** Of the trace's event that the row was, or that it was put in front of. */
  number(row: number): number {
    return (this.#blocks[row >>> BLOCK_BITS] as Block).number[row & WITHIN] as number;
  }

  /** Fills a batch with the rows that `chosen` names from `start` on; returns the first that found no room. */
  fill(into: EventBatch, chosen: Uint32Array, start: number): number {
    const end = Math.min(chosen.length, start + into.capacity);
    into.reset();
    for (let at = start; at < end; at++) this.#copy(chosen[at] as number, into, at - start);
    into.count = end - start;
    return end;
  }

  step(row: number): EventStep {
    const block = this.#blocks[row >>> BLOCK_BITS] as Block;
    const at = row & WITHIN;
    return {
      is: "event",
      kind: EVENT_KINDS[block.kind[at] as number] as EventStep["kind"],
      gpa: block.gpa[at] as number,
      bytes: this.#bytes.get(row) ?? 0,
      vcpu: block.vcpu[at] as number,
      access: block.access[at] as number,
    };
  }

  #copy(row: number, into: EventBatch, at: number): void {
    const block = this.#blocks[row >>> BLOCK_BITS] as Block;
    const kind = block.kind[row & WITHIN] as number;
    into.gpa[at] = block.gpa[row & WITHIN] as number;
    into.bytes[at] = kind === KIND.access ? 0 : (this.#bytes.get(row) ?? 0);
    into.vcpu[at] = block.vcpu[row & WITHIN] as number;
    into.kind[at] = kind;
    into.access[at] = block.access[row & WITHIN] as number;
  }
}

const keptOf = (kind: number): number => (kind === KIND.attributes ? 0xff - ATTRIBUTE_BITS.inserted : 0xff);
