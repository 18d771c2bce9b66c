/** The part of the addon's interface that is about strategies, their defects and the rules that see them. */

/** The two MMUs of KVM that are modelled. */
export type NativeFlavour = "tdp" | "rmap";

export interface NativeDefect {
  readonly id: string;
  readonly flavours: readonly NativeFlavour[];
}

export interface NativeStrategy {
  readonly name: string;
  readonly summary: string;
  readonly flavours: readonly NativeFlavour[];
  readonly presets: readonly ("attribute" | "private-shared")[];
  /** What is known to be wrong with it, by flavour. */
  readonly defects: readonly NativeDefect[];
}

/** A law that a run is judged by. */
export interface NativeRule {
  readonly id: string;
  /** Whether something is wrong where it fires, or only dearer than it has to be. */
  readonly kind: "violation" | "advisory";
  /** What fires it: lower case, no full stop. */
  readonly sentence: string;
  /** What the guest or the host loses by it. */
  readonly reason: string;
  /** Functions and versions of KVM, or patches to it. */
  readonly source: string;
  /** Ids of the known defects that show this way. */
  readonly defects: readonly string[];
  /** Options of a VM without which it cannot be judged. */
  readonly needs: readonly ("tlb" | "flushProvider" | "internalSlots" | "memoryTypes" | "audit")[];
}

/** A rule that fired. */
export interface NativeViolation {
  readonly rule: string;
  readonly count: number;
  /** Number of the first event that broke it, counted over the VM's life. */
  readonly firstEvent: number;
  /** As issued by that event. */
  readonly gpa: number;
  /** Id of the known defect behind it, `""` if there is none. */
  readonly defect: string;
  readonly reason: string;
}
