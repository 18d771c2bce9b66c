/** The part of the addon's interface that times the engine; as unchecked as the rest of it. */

/** See `native/bench/trial.hpp`. */
export interface NativeTrialInfo {
  readonly name: string;
  readonly what: string;
  readonly beside: string;
  readonly unit: string;
  /** Most that the ratio may be; 0 where nothing is said. */
  readonly target: number;
  readonly bytes: number;
  /** What the machine would need to run it; `""` if it can. */
  readonly lacks: string;
}

/** One made ready. Every call but `close` throws ERR_CLOSED after that. */
export interface NativeTrial {
  /** That both sides do in one call. */
  events(): number;
  /** Nanoseconds of this thread's processor time. */
  engine(): number;
  floor(): number;
  /** Whether the engine has done what it was timed for. */
  holds(): boolean;
  close(): void;
}
