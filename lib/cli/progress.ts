/**
 * A line on stderr that says how far a long command is.
 *
 * Silent unless stderr is a terminal, and for the first moments, so that
 * short commands print nothing.
 */
import type { Terminal } from "./terminal.js";

export interface Progress {
  /** Events so far, and the share of the input that was read, if that is known. */
  update(events: number, share: number | undefined): void;
  /** Clears the line and gives the cursor back. Safe to call twice. */
  stop(): void;
}

const SILENT: Progress = { update: () => {}, stop: () => {} };

/** Commands shorter than this show no line. */
const PATIENCE_MS = 400;

export interface ProgressOptions {
  /** No line at all. @default false */
  readonly quiet?: boolean | undefined;
  /** Milliseconds before the line appears. @default 400 */
  readonly patience?: number;
  /** What is counted. @default "events" */
  readonly unit?: string;
  /** Where the line goes. @default stderr */
  readonly stream?: NodeJS.WritableStream;
}

export async function startProgress(
  terminal: Terminal,
  label: string,
  { quiet = false, patience = PATIENCE_MS, unit = "events", stream = process.stderr }: ProgressOptions = {},
): Promise<Progress> {
  if (quiet || !terminal.interactive) return SILENT;
  const { SingleBar } = (await import("cli-progress")).default;
  const bar = new SingleBar({
    format: `${label} [{bar}] {percentage}%  {events} ${unit}`,
    barsize: 30,
    barCompleteChar: "#",
    barIncompleteChar: ".",
    stream,
    clearOnComplete: true,
    hideCursor: true,
  });
  const showFrom = performance.now() + patience;
  let shown = false;
  return {
    update: (events, share) => {
      if (!shown && performance.now() < showFrom) return;
      const payload = { events: events.toLocaleString("en-US") };
      // A stream has no size, so its bar stays empty and the count alone moves.
      const done = Math.min(99, Math.floor(100 * (share ?? 0)));
      if (shown) bar.update(done, payload);
      else bar.start(100, done, payload);
      shown = true;
    },
    stop: () => {
      if (shown) bar.stop();
      shown = false;
    },
  };
}

/** Runs `work` with a progress line that is gone when it ends, however it ends. */
export async function withProgress<T>(
  terminal: Terminal,
  label: string,
  quiet: boolean | undefined,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = await startProgress(terminal, label, { quiet });
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
