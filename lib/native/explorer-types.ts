/** The part of the addon's interface that explores small worlds; as unchecked as the rest of it. */
import type { NativeRegionRequest } from "./slot-types.js";

/** One call of a VM. `kind` is an index into `NativeLayout.eventKinds`. */
export type NativeCheckStep =
  | {
      readonly is: "event";
      readonly kind: number;
      readonly gpa: number;
      readonly bytes: number;
      readonly vcpu: number;
      readonly access: number;
    }
  | { readonly is: "memslot"; readonly region: NativeRegionRequest }
  | { readonly is: "mtrr"; readonly msr: number; readonly value: number | bigint };

export interface NativeCheckOperation {
  readonly steps: readonly NativeCheckStep[];
  /** What the second does before anything was done by a first or a second is the image of what the first does. */
  readonly symmetry: "none" | "first" | "second";
}

export interface NativeWorld {
  /** None of them may be refused. */
  readonly setup: readonly NativeCheckStep[];
  /** At most 255. */
  readonly operations: readonly NativeCheckOperation[];
}

export interface NativeBound {
  /** Most operations in a row, at most 255. */
  readonly operations: number;
  readonly states: number;
  readonly auditsAll: boolean;
}

export interface NativeCoverage {
  readonly states: number;
  readonly transitions: number;
  /** Transitions that another order of the same operations stands for. */
  readonly spared: number;
  /** Every sequence of so many operations was tried, or an image of it. */
  readonly covered: number;
  readonly end: "not-yet" | "complete" | "too-many-states";
}

/** A rule that fired first behind this path. */
export interface NativeFound {
  readonly rule: string;
  /** `""` if it is no known one. */
  readonly defect: string;
  readonly reason: string;
  readonly gpa: number;
  /** Indexes of operations. */
  readonly path: readonly number[];
}

export interface NativeExplorer {
  /** Goes on for at least so many transitions, or to the end. */
  advance(transitions: number): NativeCoverage;
  found(): NativeFound[];
  /** What has been looked at, as words that only `restore` understands. */
  save(): BigUint64Array;
  /** Of an explorer that has just begun, of the same world and bound. ERR_CONFIG for anything else, unchanged then. */
  restore(words: BigUint64Array): void;
}
