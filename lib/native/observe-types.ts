/** The addon's reader of tracepoints: `native/observe/observer.hpp`. */

/** A tracepoint, or a gap, that makes rows; its number is its place in the list. */
export interface NativeObservedEvent {
  readonly name: string;
  /** Of its words; `""` for those that it has not. */
  readonly fields: readonly string[];
}

export interface NativeMalformed {
  readonly count: number;
  readonly firstLine: number;
  /** What should have stood there, on the first of them. */
  readonly expected: string;
}

export interface NativeObserverTotals {
  readonly bytes: number;
  readonly lines: number;
  readonly events: number;
  /** Lines passed over, by the event's name or by what they are else. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly malformed: Readonly<Record<string, NativeMalformed>>;
}

export interface NativeObserver {
  /**
   * Reads whole lines from `offset` on and fills the rows of a block that is laid out for `capacity` of them: eight
   * columns of u64 words, line and time as f64, thread as u32, event and given words as u8.
   */
  observe(
    chunk: Uint8Array,
    offset: number,
    last: boolean,
    rows: ArrayBuffer,
    capacity: number,
  ): { readonly consumed: number; readonly count: number };
  totals(): NativeObserverTotals;
  /** Texts by number, from the `from`th on. */
  texts(from: number): readonly string[];
}
