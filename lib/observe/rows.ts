/**
 * The columns of a native observer, read as lines.
 *
 * A block has eight columns of 64-bit words, then line and time, thread, event and the words that were given:
 * `native/observe/observer.hpp`. Words are read as two halves where a number will do.
 */
import type { NativeObservedEvent } from "../native/addon-types.js";
import type { Line } from "./line.js";

const WORDS = 8;
const ROW_BYTES = WORDS * 8 + 2 * 8 + 4 + 2;
const HALF = 2 ** 32;

export class Rows {
  readonly buffer: ArrayBuffer;
  readonly capacity: number;
  readonly #words: BigUint64Array;
  readonly #halves: Uint32Array;
  readonly #line: Float64Array;
  readonly #time: Float64Array;
  readonly #thread: Uint32Array;
  readonly #event: Uint8Array;
  readonly #given: Uint8Array;
  row = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.buffer = new ArrayBuffer(capacity * ROW_BYTES);
    this.#words = new BigUint64Array(this.buffer, 0, WORDS * capacity);
    this.#halves = new Uint32Array(this.buffer, 0, 2 * WORDS * capacity);
    this.#line = new Float64Array(this.buffer, WORDS * 8 * capacity, capacity);
    this.#time = new Float64Array(this.buffer, (WORDS + 1) * 8 * capacity, capacity);
    this.#thread = new Uint32Array(this.buffer, (WORDS + 2) * 8 * capacity, capacity);
    this.#event = new Uint8Array(this.buffer, ((WORDS + 2) * 8 + 4) * capacity, capacity);
    this.#given = new Uint8Array(this.buffer, ((WORDS + 2) * 8 + 5) * capacity, capacity);
  }

  get event(): number {
    return this.#event[this.row] as number;
  }
  get number(): number {
    return this.#line[this.row] as number;
  }
  get time(): number {
    return this.#time[this.row] as number;
  }
  get thread(): number {
    return this.#thread[this.row] as number;
  }
  has(word: number): boolean {
    return (((this.#given[this.row] as number) >> word) & 1) === 1;
  }
  big(word: number): bigint {
    return this.#words[word * this.capacity + this.row] as bigint;
  }
  num(word: number): number {
    const at = 2 * (word * this.capacity + this.row);
    return (this.#halves[at + 1] as number) * HALF + (this.#halves[at] as number);
  }
  /** Of a number that may be negative. */
  int(word: number): number {
    return (this.#halves[2 * (word * this.capacity + this.row)] as number) | 0;
  }
}

type Maker = (rows: Rows) => Line;

const at = (rows: Rows) => ({ number: rows.number, time: rows.time, thread: rows.thread });

const RIGHTS = ["u", "x", "w", "r"];
const rightsOf = (bits: number): string =>
  RIGHTS.map((name, bit) => (((bits >> bit) & 1) === 1 ? name : "-"))
    .reverse()
    .join("");

const ring =
  (event: "push" | "reset"): Maker =>
  (rows) => ({
    event,
    ...at(rows),
    ring: rows.int(0),
    dirty: rows.num(1),
    reset: rows.num(2),
    used: rows.int(5),
  });

const page =
  (event: "page" | "page goes"): Maker =>
  (rows) => ({
    event,
    ...at(rows),
    gfn: rows.num(1),
    level: rows.num(2),
    says: [3, 4, 5, 6, 7].map((word) => rows.num(word).toString(16)).join(" "),
  });

const flush: Maker = (rows) => ({ event: "flush", ...at(rows), result: rows.int(1) });

/** By the names of tracepoints; what is not here is of no interest to observers. */
const MAKERS: Readonly<Record<string, Maker>> = {
  kvm_unmap_hva_range: (rows) => ({ event: "unmap", ...at(rows), start: rows.num(0), end: rows.num(1) }),
  kvm_page_fault: (rows) => ({
    event: "fault",
    ...at(rows),
    vcpu: rows.has(0) ? rows.num(0) : undefined,
    address: rows.num(2),
    code: rows.big(3),
  }),
  kvm_mmu_spte_requested: (rows) => ({
    event: "requested",
    ...at(rows),
    gfn: rows.num(0),
    pfn: rows.big(1),
    level: rows.num(2),
  }),
  kvm_tdp_mmu_spte_changed: (rows) => ({
    event: "changed",
    ...at(rows),
    asId: rows.num(0),
    gfn: rows.num(1),
    level: rows.num(2),
    old: rows.big(3),
    now: rows.big(4),
  }),
  kvm_mmu_set_spte: (rows) => ({
    event: "set",
    ...at(rows),
    gfn: rows.num(0),
    spte: rows.big(1),
    level: rows.num(2),
    rights: rightsOf(rows.num(3)),
    at: rows.num(4),
  }),
  fast_page_fault: (rows) => ({
    event: "fast",
    ...at(rows),
    vcpu: rows.int(0),
    address: rows.num(1),
    old: rows.big(4),
    now: rows.big(5),
    spurious: rows.num(6) !== 0,
    fixed: rows.num(7) !== 0,
  }),
  mark_mmio_spte: (rows) => ({
    event: "mmio",
    ...at(rows),
    gfn: rows.num(1),
    access: rows.num(2),
    generation: rows.num(3),
  }),
  kvm_mmu_split_huge_page: (rows) => ({
    event: "split",
    ...at(rows),
    gfn: rows.num(0),
    spte: rows.big(1),
    level: rows.num(2),
    error: rows.int(3),
  }),
  kvm_mmu_get_page: page("page"),
  kvm_mmu_prepare_zap_page: page("page goes"),
  kvm_mmu_zap_all_fast: (rows) => ({ event: "zap all", ...at(rows), generation: rows.num(0) }),
  kvm_dirty_ring_push: ring("push"),
  kvm_dirty_ring_reset: ring("reset"),
  hyperv_nested_flush_guest_mapping: flush,
  hyperv_nested_flush_guest_mapping_range: flush,
  kvm_entry: (rows) => ({ event: "entry", ...at(rows), vcpu: rows.num(0) }),
  omitted: (rows) =>
    rows.has(2)
      ? { event: "omitted", ...at(rows), gfn: rows.num(0), last: rows.num(1), level: rows.num(2) }
      : { event: "gap", ...at(rows), lost: undefined },
  lost: (rows) => ({ event: "gap", ...at(rows), lost: rows.num(0) }),
};

/** Turns the row that `rows` stands at into a line; undefined for an event of no interest. */
export type ReadRow = (rows: Rows) => Line | undefined;

export function rowReader(events: readonly NativeObservedEvent[]): ReadRow {
  const makers = events.map(({ name }) => MAKERS[name]);
  return (rows) => makers[rows.event]?.(rows);
}
