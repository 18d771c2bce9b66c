/**
 * What a kind of vector is to the runner. Every file in `kinds/` is one.
 *
 * It knows no kind by name.
 */
import type { NativeAddon } from "../native/addon-types.js";
import type { VectorAnswer, VectorOp } from "./types.js";

/** A line of a file: a JSON object with a string "id". */
export type VectorRecord = Readonly<Record<string, unknown>> & { readonly id: string };

/** Where an answer first differed from the recorded one. */
export interface VectorDifference {
  /** From 0. */
  readonly step: number;
  readonly op: VectorOp;
  readonly expected: VectorAnswer;
  readonly got: VectorAnswer;
}

export interface VectorKind {
  readonly name: string;
  /** Whether the record's keys say that it is of this kind; two kinds claim no record. Its shape is not judged yet. */
  claims(record: VectorRecord): boolean;
  /** Called once a run, for the first record of this kind. */
  open(addon: NativeAddon): VectorPlayer;
}

export interface VectorPlayer {
  /**
   * The first difference, or undefined if all answers are the recorded ones.
   *
   * @throws Malformed for a record that is none of this kind, before anything is asked of an engine
   */
  play(record: VectorRecord): VectorDifference | undefined;
  close(): void;
}
