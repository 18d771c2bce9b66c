/**
 * How many rows there were of each kind, outcome and flush: all that most
 * metrics ask of a batch, counted in one pass.
 *
 * Hits are nearly all of most traces, and their kind, outcome and flush are
 * all 0: four rows at a time are seen to be such (`bench/parallel.mjs`).
 */
import { type EventBatch, isInserted, KIND } from "./event-batch.js";
import { EVENT_KINDS, FLUSH_SCOPES, OUTCOMES } from "./layout.js";
import type { OutcomeBatch } from "./outcome-batch.js";

/** Rows that one 32-bit word of a byte column holds. */
const ROWS = 4;

/** A combination that rows had, each value as its column has it. */
export interface RowCount {
  readonly kind: number;
  /** Whether a projection put the rows in. */
  readonly inserted: boolean;
  readonly outcome: number;
  readonly flush: number;
  readonly rows: number;
}

export class RowCounts {
  // By kind, then inserted, outcome, flush. Of doubles, because a trace may have more rows than 2^32.
  readonly #cells = new Float64Array(EVENT_KINDS.length * 2 * OUTCOMES.length * FLUSH_SCOPES.length);
  #vcpus = 0;
  #inserted = 0;

  /** Highest vCPU id of an access so far, plus one. */
  get vcpus(): number {
    return this.#vcpus;
  }

  /** Adds rows [0, events.count), and returns how many of them are events of the trace. */
  add(events: EventBatch, outcomes: OutcomeBatch): number {
    const before = this.#inserted;
    const words = wordsOf(events, outcomes);
    const whole = words === undefined ? 0 : this.#addWords(words, events, outcomes);
    this.#addRows(events, outcomes, whole, events.count);
    return events.count - (this.#inserted - before);
  }

  /** What occurred, in the order of the columns' values. */
  list(): RowCount[] {
    const found: RowCount[] = [];
    this.#cells.forEach((rows, cell) => {
      if (rows > 0) found.push({ ...partsOf(cell), rows });
    });
    return found;
  }

  // Returns the row that it has come to.
  #addWords({ kind, outcome, flush, vcpu }: Words, events: EventBatch, outcomes: OutcomeBatch): number {
    let hits = 0;
    const words = Math.floor(events.count / ROWS);
    for (let word = 0; word < words; word++) {
      const other = (kind[word] as number) | (outcome[word] as number) | (flush[word] as number);
      // No id is above what the bits of all of them make.
      const vcpus = (vcpu[2 * word] as number) | (vcpu[2 * word + 1] as number);
      if (other === 0 && ((vcpus & 0xffff) | (vcpus >>> 16)) < this.#vcpus) hits += ROWS;
      else this.#addRows(events, outcomes, word * ROWS, (word + 1) * ROWS);
    }
    this.#cells[0] = (this.#cells[0] as number) + hits;
    return words * ROWS;
  }

  #addRows({ kind, access, vcpu }: EventBatch, outcomes: OutcomeBatch, row: number, end: number): void {
    const { outcome, flush } = outcomes;
    for (; row < end; row++) {
      const k = kind[row] as number;
      const inserted = isInserted(k, access[row] as number) ? 1 : 0;
      this.#inserted += inserted;
      const of = (k * 2 + inserted) * OUTCOMES.length + (outcome[row] as number);
      const cell = of * FLUSH_SCOPES.length + (flush[row] as number);
      this.#cells[cell] = (this.#cells[cell] as number) + 1;
      if (k === KIND.access && (vcpu[row] as number) >= this.#vcpus) this.#vcpus = (vcpu[row] as number) + 1;
    }
  }
}

/** Columns of bytes by four rows, that of vCPUs by two. */
interface Words {
  readonly kind: Uint32Array;
  readonly outcome: Uint32Array;
  readonly flush: Uint32Array;
  readonly vcpu: Uint32Array;
}

/** Undefined where a batch's capacity puts its columns between words. */
function wordsOf({ capacity, kind, vcpu }: EventBatch, { outcome, flush }: OutcomeBatch): Words | undefined {
  if (capacity % ROWS !== 0 || outcome.length !== capacity) return undefined;
  const words = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array) =>
    new Uint32Array(buffer, byteOffset, byteLength / Uint32Array.BYTES_PER_ELEMENT);
  return { kind: words(kind), outcome: words(outcome), flush: words(flush), vcpu: words(vcpu) };
}

function partsOf(cell: number): Omit<RowCount, "rows"> {
  const flush = cell % FLUSH_SCOPES.length;
  const of = Math.floor(cell / FLUSH_SCOPES.length);
  const outcome = of % OUTCOMES.length;
  const event = Math.floor(of / OUTCOMES.length);
  return { kind: event >> 1, inserted: event % 2 === 1, outcome, flush };
}
