/** The part of the addon's interface that decodes traces; as unchecked as the rest of it. */

export interface NativeFormat {
  readonly name: string;
  readonly summary: string;
}

export interface NativeDecodeStep {
  /** Bytes of the chunk that were consumed. */
  readonly consumed: number;
  /** Rows in the batch after the call. */
  readonly count: number;
}

export interface NativeDecodeTotals {
  readonly bytes: number;
  readonly records: number;
  readonly lost: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly gaps: readonly { readonly before: number; readonly events: number }[];
  readonly backwards: number;
  readonly backwardsAt: readonly number[];
  readonly vendor: { readonly name: string; readonly confidence: number; readonly why: string };
  readonly mappedLevels: readonly number[];
  readonly topLevel: number;
}

export interface NativeDecoder {
  /**
   * Decodes `chunk` from `offset` into rows [at, capacity) of `events`, whose
   * block has the extra columns behind the event columns when `extra` is true.
   */
  decode(
    chunk: Uint8Array,
    offset: number,
    last: boolean,
    events: ArrayBuffer,
    at: number,
    capacity: number,
    extra: boolean,
  ): NativeDecodeStep;
  totals(): NativeDecodeTotals;
}

/** A file mapped into memory; reading it copies nothing. */
export interface NativeMappedFile {
  readonly bytes: number;
  /** A copy of the first bytes, at most `length`. */
  head(length: number): Uint8Array;
  /**
   * As `NativeDecoder.decode`, from the file. `consumed` counts from `offset`.
   * ERR_IO if the file has shrunk since it was opened.
   */
  decode(
    decoder: NativeDecoder,
    offset: number,
    events: ArrayBuffer,
    at: number,
    capacity: number,
    extra: boolean,
  ): NativeDecodeStep;
  close(): void;
}
