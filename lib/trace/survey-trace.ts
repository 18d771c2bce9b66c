/**
 * One pass that finds out what a trace touches: kinds, vCPUs, and memory at
 * 4 KiB granularity.
 *
 * Memory is kept as one byte per page of every touched 2 MiB, 512 bytes each,
 * whatever the length of the trace. It draws no conclusions.
 */
import type { Gpa } from "../address.js";
import { MiB, PAGE_BYTES } from "../address.js";
import { type EventBatch, KIND } from "../columns/event-batch.js";
import { EVENT_KINDS, type EventKind } from "../columns/layout.js";
import { MmuError } from "../errors.js";
import type { Trace } from "./trace.js";

/** A contiguous run of touched memory. */
export interface TouchedRange {
  readonly gpa: Gpa;
  readonly bytes: number;
  /** Distinct 4 KiB pages touched in it. */
  readonly pages: number;
}

export interface Survey {
  readonly events: number;
  readonly accesses: number;
  readonly byKind: Readonly<Partial<Record<EventKind, number>>>;
  /** Highest vCPU id of an access, plus one. */
  readonly vcpus: number;
  /** Highest gpa accessed; 0 if none was. */
  readonly highestGpa: Gpa;
  /** Seconds; undefined for a trace without accesses. */
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  readonly touched: TouchedPages;
}

const CHUNK_BYTES = 2 * MiB;
const CHUNK_PAGES = CHUNK_BYTES / PAGE_BYTES;

/** Which 4 KiB pages were touched. */
export class TouchedPages {
  readonly #chunks = new Map<number, Uint8Array>();
  #last: Uint8Array = new Uint8Array(0);
  #lastIndex = -1;

  add(gpa: Gpa): void {
    const page = Math.floor(gpa / PAGE_BYTES);
    const index = Math.floor(page / CHUNK_PAGES);
    // Neighbouring accesses mostly share their 2 MiB.
    if (index !== this.#lastIndex) this.#select(index);
    this.#last[page - index * CHUNK_PAGES] = 1;
  }

  /** Touched memory, ascending; pages less than `gap` bytes apart make one range. */
  *ranges(gap = PAGE_BYTES): IterableIterator<TouchedRange> {
    let range: { gpa: Gpa; bytes: number; pages: number } | undefined;
    for (const gpa of this.#pages()) {
      if (range !== undefined && gpa - (range.gpa + range.bytes) < gap) {
        range.bytes = gpa + PAGE_BYTES - range.gpa;
        range.pages++;
        continue;
      }
      if (range !== undefined) yield range;
      range = { gpa, bytes: PAGE_BYTES, pages: 1 };
    }
    if (range !== undefined) yield range;
  }

  /** Every 2 MiB of which a page was touched, and how many were. */
  *chunks(): IterableIterator<{ readonly gpa: Gpa; readonly pages: number }> {
    for (const [index, chunk] of this.#chunks) {
      yield { gpa: index * CHUNK_BYTES, pages: chunk.reduce((sum, touched) => sum + touched, 0) };
    }
  }

  *#pages(): IterableIterator<Gpa> {
    for (const index of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const chunk = this.#chunks.get(index) as Uint8Array;
      for (let page = chunk.indexOf(1); page >= 0; page = chunk.indexOf(1, page + 1)) {
        yield index * CHUNK_BYTES + page * PAGE_BYTES;
      }
    }
  }

  #select(index: number): void {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK_PAGES);
      this.#chunks.set(index, chunk);
    }
    this.#last = chunk;
    this.#lastIndex = index;
  }
}

/**
 * Reads a trace once, to its end; it may hold no event at all.
 *
 * @throws MmuError `ERR_BUSY` for a stream, which could not be replayed afterwards
 */
export async function surveyTrace(trace: Trace, signal?: AbortSignal): Promise<Survey> {
  expectRewindable(trace, "survey");
  const kinds = new Float64Array(EVENT_KINDS.length);
  const seen = { vcpus: 0, highestGpa: 0, touched: new TouchedPages() };
  let firstTime: number | undefined;
  let lastTime: number | undefined;
  for await (const batch of trace.batches({ extra: true, signal, mayBeEmpty: true })) {
    firstTime ??= batch.time?.[0];
    lastTime = batch.time?.[batch.count - 1];
    surveyBatch(batch, kinds, seen);
  }
  const byKind = countsByKind(kinds);
  const events = kinds.reduce((sum, count) => sum + count, 0);
  return { events, accesses: byKind.access ?? 0, byKind, firstTime, lastTime, ...seen };
}

/** Kinds that occurred, in the order of `EVENT_KINDS`. */
export function countsByKind(kinds: Float64Array): Partial<Record<EventKind, number>> {
  const counts = EVENT_KINDS.map((name, kind) => [name, kinds[kind] as number] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** A second pass needs a first byte to go back to. */
export function expectRewindable(trace: Trace, verb: string): void {
  if (trace.rewindable) return;
  throw new MmuError("ERR_BUSY", `cannot ${verb} ${trace.source} and replay it: it can be read only once`);
}

function surveyBatch(
  batch: EventBatch,
  kinds: Float64Array,
  seen: { vcpus: number; highestGpa: number; touched: TouchedPages },
): void {
  const { kind, gpa, vcpu, count } = batch;
  for (let row = 0; row < count; row++) {
    const k = kind[row] as number;
    kinds[k] = (kinds[k] as number) + 1;
    if (k !== KIND.access) continue;
    const address = gpa[row] as number;
    seen.touched.add(address);
    if (address > seen.highestGpa) seen.highestGpa = address;
    if ((vcpu[row] as number) >= seen.vcpus) seen.vcpus = (vcpu[row] as number) + 1;
  }
}
