/**
 * What a check of a recording is: one file in `checks/` that default-exports one of these.
 *
 * A check sees every line before it takes effect, and what the lines before say is mapped. It must not know the model.
 */
import type { EntryFormat } from "./entry.js";
import type { Known } from "./known.js";
import type { Line } from "./line.js";

/** `error`: no kernel prints this. `warning`: it may, but somebody should look. `note`: it costs time and no more. */
export type Severity = "error" | "warning" | "note";
/** How sure it is that a kernel did this, and not a gap that nobody told of. */
export type Confidence = "high" | "medium" | "low";

export interface Finding {
  /** Id of the check. */
  readonly check: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** The line, from 1. */
  readonly line: number;
  /** Other lines that it is about. */
  readonly others: readonly number[];
  /** A sentence. */
  readonly why: string;
}

/** What a check can see, and where it says what it found. */
export interface Scene {
  readonly format: EntryFormat;
  readonly known: Known;
  /** Bits of a gpa that pick an alias, as a mask of frame numbers; 0 for none. */
  readonly aliasFrames: number;
  /** Names of events that the trace has anywhere. */
  readonly has: ReadonlySet<Line["event"]>;
  report(finding: Omit<Finding, "check">): void;
}

export interface Watch {
  /** Before the line takes effect. */
  line(line: Line): void;
  /** The trace is over. */
  end?(): void;
}

export interface Check {
  readonly id: string;
  /** One line for a list of checks. */
  readonly summary: string;
  /** Why it cannot judge such a trace; undefined if it can. */
  unable?(scene: Scene): string | undefined;
  start(scene: Scene): Watch;
}

export const hex = (value: number | bigint): string => value.toString(16);
export const frameOf = (address: number): number => Math.floor(address / 4096);
