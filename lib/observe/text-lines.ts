/** Text that is in memory, read into lines at once: what a VM printed. */
import { attempt } from "../errors.js";
import type { Line } from "./line.js";
import type { ObserverBackend } from "./read-lines.js";
import { Rows, rowReader } from "./rows.js";

const ROWS = 1024;

/** Reads text after text, as one that goes on; each ends with a whole line. */
export function textReader(backend: ObserverBackend): (text: string) => Line[] {
  const read = rowReader(backend.observedEvents());
  const observer = attempt(() => new backend.Observer());
  const rows = new Rows(ROWS);
  return (text) => {
    const bytes = Buffer.from(text);
    const lines: Line[] = [];
    for (let at = 0; ; ) {
      const { consumed, count } = attempt(() =>
        observer.observe(bytes, at, true, rows.buffer, rows.capacity),
      );
      at += consumed;
      for (rows.row = 0; rows.row < count; rows.row++) {
        const line = read(rows);
        if (line !== undefined) lines.push(line);
      }
      if (count < rows.capacity) return lines;
    }
  };
}

export const linesOfText = (backend: ObserverBackend, text: string): Line[] => textReader(backend)(text);
