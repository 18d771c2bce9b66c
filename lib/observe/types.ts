/** What holding a recording to itself and to the model comes to. */

import type { Confidence, Severity } from "./check.js";
import type { Guess } from "./guess-format.js";
import type { HostFacts } from "./model/host.js";
import type { CheckResult } from "./watch.js";

export type { Confidence, Severity } from "./check.js";
export type { HostFacts } from "./model/host.js";

/** A line of the recording, as it stands there. */
export interface QuotedLine {
  readonly line: number;
  readonly text: string;
}

export interface TraceFinding {
  /** Id of the check, or `model`. */
  readonly check: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly line: number;
  /** A sentence. */
  readonly why: string;
  /** The line with its neighbours, and other lines that it is about. */
  readonly context: readonly QuotedLine[];
}

export interface ModelComparison {
  /** What was guessed of the host, or said. */
  readonly host: Readonly<Record<keyof HostFacts, Guess<string | number | boolean>>>;
  /** Faults, unmaps, slots and logs that were replayed. */
  readonly steps: number;
  /** Lines that both printed. */
  readonly agreed: number;
  /** Lines of the model where some of the recording were left out. */
  readonly setAside: readonly string[];
  readonly difference: {
    readonly line: number;
    /** What was going on. */
    readonly deed: string;
    /** Null where the recording has no line. */
    readonly recorded: string | null;
    /** Null where the model prints none. */
    readonly model: string | null;
    readonly why: string;
  } | null;
  /** Where the model stopped before the end, and why; null if it did not. */
  readonly stopped: { readonly line: number; readonly why: string } | null;
}

export interface TraceVerification {
  readonly schemaVersion: 1;
  readonly source: string;
  readonly lines: number;
  /** Tracepoints by name, among those that are understood. */
  readonly events: Readonly<Record<string, number>>;
  /** Lines passed over, by the event's name or what they are else. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Tracepoints that are known and could not be read. */
  readonly malformed: Readonly<
    Record<string, { readonly count: number; readonly firstLine: number; readonly expected: string }>
  >;
  /** Events that the recorder dropped. */
  readonly lost: number;
  /** Places where lines are missing, whoever left them out. */
  readonly gaps: number;
  readonly entries: { readonly value: string; readonly confidence: string; readonly why: string };
  readonly checks: readonly CheckResult[];
  /** In the order of lines; the counts of `checks` are whole where this is cut. */
  readonly findings: readonly TraceFinding[];
  /** Null where the model was not asked. */
  readonly model: ModelComparison | null;
  /** Why the model was not asked; null where it was. */
  readonly noModel: string | null;
}

export interface VerifyTraceOptions {
  /** Which address bits pick an alias: a preset as of `createVm`. @default "none" */
  readonly alias?: string;
  /** Whether the model replays the causes. @default where the trace has faults and changes of entries */
  readonly model?: boolean;
  /** Properties of the host that are not to be guessed. */
  readonly host?: HostFacts;
  readonly signal?: AbortSignal;
  /** Lines so far, and the share of the file. */
  readonly onProgress?: (lines: number, share: number | undefined) => void;
}
