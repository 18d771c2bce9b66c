/**
 * What a kind of script is to the runner. Every file in `kinds/` is one, named
 * as the kind of vector that its scripts become once they are answered.
 *
 * It knows no kind by name.
 */
import type { NativeLiveKvm } from "../native/live-types.js";
import type { VectorRecord } from "../vectors/vector-kind.js";
import type { Kernel } from "./kernel.js";
import type { Random } from "./random.js";

/** A vector without answers. */
export type Script = VectorRecord;

export interface LiveKind {
  readonly name: string;
  /** Why the scripts of this kind say nothing on such a kernel; undefined if they do. */
  whyNot(kernel: Kernel): string | undefined;
  generate(random: Random, id: string, kernel: Kernel): Script;
  /**
   * The script with the kernel's answers.
   *
   * @throws Unaskable for a script that has lost what its operations need
   */
  ask(live: NativeLiveKvm, script: Script): VectorRecord;
  /** Scripts that are simpler, the boldest first. */
  simpler(script: Script): Iterable<Script>;
  /** How many operations or steps it has. */
  lengthOf(script: Script): number;
}

/** The script asks for what is not there: no kernel has an answer to it. */
export class Unaskable extends Error {}
