/** What a check came to, as plain data: what `--json` prints and everything else is made from. */
import type { CheckStep } from "./world.js";

/** How a violation comes about, in the fewest operations. */
export interface Witness {
  /** Of the VM; `createVm(config)` makes it. */
  readonly config: unknown;
  readonly setup: readonly CheckStep[];
  readonly operations: readonly { readonly says: string; readonly steps: readonly CheckStep[] }[];
}

export interface CheckViolation {
  readonly rule: string;
  /** Id of the known defect behind it; absent if it is none. */
  readonly defect?: string;
  readonly reason: string;
  /** As issued by the last operation, in hexadecimal. */
  readonly gpa: string;
  /** Name of the world in which the path is the shortest. */
  readonly world: string;
  readonly witness: Witness;
}

export interface WorldResult {
  readonly name: string;
  readonly operations: number;
  readonly states: number;
  readonly transitions: number;
  /** Transitions that were not made: another order of the same operations stands for them. */
  readonly spared: number;
  /** Every sequence of so many operations was tried, or an image of it. */
  readonly covered: number;
  /** Ids of rules that fired. */
  readonly rules: readonly string[];
}

export interface CheckResult {
  readonly schemaVersion: 1;
  /** "stolen-bits/rmap". */
  readonly run: string;
  readonly bound: {
    readonly vcpus: number;
    readonly pages: number;
    readonly operations: number;
    readonly states: number;
  };
  readonly states: number;
  readonly transitions: number;
  readonly spared: number;
  /** Whether every world was looked at up to the bound. */
  readonly complete: boolean;
  readonly worlds: readonly WorldResult[];
  /** Each rule once, in order of its id. */
  readonly violations: readonly CheckViolation[];
  /** Rules about cost. */
  readonly advisories: readonly CheckViolation[];
  readonly timing: { readonly wallNs: number; readonly statesPerSecond: number; readonly threads: number };
}
