/** What a run of the benchmarks comes to. Only types. */

export interface BenchMachine {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes of memory. */
  readonly memory: number;
  /** The kernel's setting of transparent huge pages: always, madvise, never, or unknown. */
  readonly hugePages: string;
  /** Vector paths that the processor has, the fastest first; `portable` is always there. */
  readonly paths: readonly string[];
  /** The ones taken: to replay, and to find lines of text. */
  readonly taken: { readonly replay: string; readonly text: string };
  readonly node: string;
  /** Of the addon. */
  readonly compiler: string;
  readonly version: string;
}

/** One comparison. Times are medians over the pairs, of processor time. */
export interface TrialResult {
  readonly name: string;
  readonly what: string;
  readonly beside: string;
  /** What is counted: an event, a page, a line. */
  readonly unit: string;
  readonly nsPerEvent: number;
  /** Of the other side. */
  readonly floorNsPerEvent: number;
  /** Of the two. */
  readonly ratio: number;
  /** Quartiles of the ratios of the single pairs. */
  readonly quartiles: readonly [number, number];
  readonly pairs: number;
  /** Most that the ratio may be, where the project has set itself that. */
  readonly target?: number;
}

/** What tables take, beside KVM's own for the same pages. */
export interface TablesResult {
  readonly name: string;
  readonly what: string;
  readonly pages: number;
  readonly bytesPerPage: number;
  readonly kvmBytesPerPage: number;
  readonly ratio: number;
  readonly target?: number;
}

export interface SkippedTrial {
  readonly name: string;
  readonly why: string;
}

/** What `gpalias bench --json` prints. */
export interface Bench {
  readonly schemaVersion: 1;
  readonly machine: BenchMachine;
  readonly trials: readonly TrialResult[];
  readonly tables: readonly TablesResult[];
  readonly skipped: readonly SkippedTrial[];
}

/** A row of {@link Bench}'s list. */
export interface TrialInfo {
  readonly name: string;
  readonly what: string;
  readonly beside: string;
  /** Memory that it takes, about. */
  readonly bytes: number;
}
