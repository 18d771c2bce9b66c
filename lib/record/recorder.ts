/**
 * What a recorder is: one file in `recorders/` that default-exports one.
 *
 * It knows the lines that record a good trace with one program. Nothing here
 * runs any of them.
 */

/** What the lines are to record. */
export interface RecordRequest {
  /** The VMM's process; undefined for every VM of the host. */
  readonly vm: number | undefined;
  /** MiB of buffer on each CPU. */
  readonly bufferMiB: number;
}

/** One step: what it is for, and the lines to type. */
export interface RecordStep {
  readonly says: string;
  readonly lines: readonly string[];
}

export interface Recorder {
  /** As `--tool` has it, and the name of its file. */
  readonly name: string;
  readonly summary: string;
  /** What comes out, for gpalias to read. */
  readonly output: string;
  steps(request: RecordRequest): readonly RecordStep[];
}

/** Types a recorder. */
export function defineRecorder(recorder: Recorder): Recorder {
  return Object.freeze(recorder);
}
