/** Options of a workload as it gets them: every one is there and within its range. */
import type { Gpa, PageSize } from "../address.js";

/** What is asked of a workload, complete and checked. */
export interface WorkloadOptions {
  /** Bytes per vCPU. */
  readonly bytes: number;
  readonly vcpus: number;
  /** The share of accesses that write, 0 to 1. */
  readonly writes: number;
  /** Every vCPU uses the memory of all. */
  readonly overlap: boolean;
  readonly slots: number;
  readonly backing: PageSize;
  readonly iterations: number;
  /** Where the memory begins. */
  readonly offset: Gpa;
  /** The address bit that stands for shared memory. */
  readonly aliasBit: number;
  readonly seed: number;
  /** At most so many. */
  readonly events: number;
}
