/** What a verification is asked and what it answers. */

/** The name of the operation, then its arguments as they stand in the file. */
export type VectorOp = readonly [string, ...unknown[]];

/** As it stands in the file: for most kinds the errno's name or "0", what was counted, and what was read if something was. */
export type VectorAnswer = readonly unknown[];

/** Where an answer of the engine first differed from the recorded one. */
export interface VectorFailure {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly id: string;
  /** Which of the vector's operations, from 0. */
  readonly step: number;
  readonly op: VectorOp;
  readonly expected: VectorAnswer;
  readonly got: VectorAnswer;
}

/** What `gpalias verify --json` prints. */
export interface Verification {
  readonly schemaVersion: 1;
  /** Vectors that were read: passed, failed and skipped. */
  readonly cases: number;
  readonly passed: number;
  readonly failed: number;
  /** Of no kind that there is. */
  readonly skipped: number;
  /** The first ten. */
  readonly firstFailures: readonly VectorFailure[];
}

export interface VerifyOptions {
  /** Stops between two vectors with `ERR_ABORTED`. */
  readonly signal?: AbortSignal;
  /** Called now and then with the vectors that were read so far. */
  readonly onProgress?: (cases: number) => void;
}
