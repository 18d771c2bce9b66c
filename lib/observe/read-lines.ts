/** The text of a recording read into lines, a block of rows at a time. */
import { attempt } from "../errors.js";
import type { NativeAddon, NativeObserverTotals } from "../native/addon-types.js";
import type { Line } from "./line.js";
import { Rows, rowReader } from "./rows.js";
import type { RecordedText } from "./source.js";

const ROWS = 4096;

/** What reading a recording needs of the addon. */
export type ObserverBackend = Pick<NativeAddon, "Observer" | "observedEvents">;

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Lines so far, and bytes after decompression. */
  readonly onProgress?: ((lines: number, bytes: number) => void) | undefined;
}

/** What was in the text besides the lines that were handed on. */
export interface ReadTotals extends NativeObserverTotals {
  /** Rows by the tracepoint's name. */
  readonly byEvent: Readonly<Record<string, number>>;
}

/** Hands every line of interest to `take`, in order. */
export async function readLines(
  backend: ObserverBackend,
  text: RecordedText,
  take: (line: Line) => void,
  { signal, onProgress }: ReadOptions = {},
): Promise<ReadTotals> {
  const events = backend.observedEvents();
  const read = rowReader(events);
  const observer = attempt(() => new backend.Observer());
  const rows = new Rows(ROWS);
  const counts = new Float64Array(events.length);
  const observe = (chunk: Uint8Array, last: boolean): Uint8Array => {
    let at = 0;
    for (;;) {
      const { consumed, count } = attempt(() =>
        observer.observe(chunk, at, last, rows.buffer, rows.capacity),
      );
      at += consumed;
      for (rows.row = 0; rows.row < count; rows.row++) {
        counts[rows.event] = (counts[rows.event] as number) + 1;
        const line = read(rows);
        if (line !== undefined) take(line);
      }
      if (count < rows.capacity) return chunk.subarray(at);
    }
  };
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of text.chunks(signal)) {
    signal?.throwIfAborted();
    rest = observe(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), false);
    const { lines, bytes } = observer.totals();
    onProgress?.(lines, bytes);
  }
  observe(rest, true);
  const named = events.map(({ name }, event) => [name, counts[event] as number] as const);
  return { ...observer.totals(), byEvent: Object.fromEntries(named.filter(([, count]) => count > 0)) };
}
