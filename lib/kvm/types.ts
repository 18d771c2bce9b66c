/** What holding the engine to the machine's own KVM is asked, and what it answers. */
import type { VectorAnswer, VectorOp } from "../vectors/types.js";
import type { VectorRecord } from "../vectors/vector-kind.js";

export interface VerifyKvmOptions {
  /** The scripts follow from it alone: 0 to 2^32 - 1. @default 1 */
  readonly seed?: number;
  /** Scripts to play: 1 to 10,000,000. @default 1000 */
  readonly cases?: number;
  /** The device to ask. @default "/dev/kvm" */
  readonly device?: string;
  /** Stops between two scripts with `ERR_ABORTED`. */
  readonly signal?: AbortSignal;
  /** Called now and then with the scripts that were played so far, or tried so far while a difference is made small. */
  readonly onProgress?: (scripts: number, phase: "playing" | "shrinking") => void;
}

/** A kind of script, and what became of it. */
export interface KindOfScript {
  readonly kind: string;
  readonly cases: number;
  /** Why this kernel was not asked; absent if it was. */
  readonly notAsked?: string;
}

/** The kernel that was asked, as far as it is seen without running a guest. */
export interface AskedKernel {
  /** As `uname -r` says it. */
  readonly release: string;
  readonly device: string;
  /** How the engine is configured to be this kernel, and what gave it away. */
  readonly model: string;
  readonly because: string;
}

/** The first script that the kernel and the engine answer differently, made small. */
export interface KvmDifference {
  readonly kind: string;
  /** Which script, from 0. */
  readonly case: number;
  /** A line of a file that `gpalias verify vectors` takes; its answers are the kernel's. */
  readonly vector: VectorRecord;
  /** Where in it the answers differ, from 0. */
  readonly step: number;
  readonly op: VectorOp;
  readonly kernel: VectorAnswer;
  readonly engine: VectorAnswer;
  readonly shrink: {
    /** Scripts that were tried. */
    readonly tried: number;
    /** Operations, or steps, before and after. */
    readonly from: number;
    readonly to: number;
  };
}

/** What `gpalias verify kvm --json` prints. */
export interface KvmVerification {
  readonly schemaVersion: 1;
  readonly seed: number;
  /** Scripts that were played to their end, on both sides. */
  readonly cases: number;
  /** Those among them that the kernel answered now so, now otherwise, as some of its flushes depend on the moment. */
  readonly unsteady: number;
  readonly kernel: AskedKernel;
  readonly kinds: readonly KindOfScript[];
  /** Null if every answer was the same. */
  readonly difference: KvmDifference | null;
}
