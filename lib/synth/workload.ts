/**
 * What a workload is: one file in `workloads/` that default-exports one.
 *
 * A workload says which events happen, in order, in a guest whose memory and
 * vCPUs it is given. It must not know formats, batches or VMs.
 */
import { wrongType } from "../expect.js";
import type { EventWriter } from "./event-writer.js";
import type { GuestMemory } from "./guest-memory.js";
import type { Random } from "./random.js";
import type { WorkloadOptions } from "./workload-options.js";

/** One run of a workload: where its events go and what they are about. */
export interface Run {
  readonly out: EventWriter;
  readonly random: Random;
  readonly memory: GuestMemory;
  readonly options: WorkloadOptions;
}

export interface Workload {
  /** Lower case, and the name of its file. */
  readonly name: string;
  /** One line for a list. */
  readonly summary: string;
  /** Which selftest, or which operation of a real host, it resembles. */
  readonly resembles: string;
  /** What it does with options that are not given. */
  readonly defaults: Partial<WorkloadOptions>;
  /** Slots lie far apart, all over the address space, and not one behind the other. @default false */
  readonly scattered?: boolean;
  /** Yields when `out` is full, and goes on when there is room again. */
  events(run: Run): Generator<void>;
}

/** Types and checks a workload. */
export function defineWorkload(workload: Workload): Workload {
  if (!/^[a-z][a-z0-9-]*$/.test(workload.name)) {
    throw wrongType("workload name", "lower-case letters, digits and dashes", workload.name);
  }
  return Object.freeze(workload);
}
