/**
 * A script that shows a difference, made as small as it goes.
 *
 * Greedy: the first simpler script that differs too takes the place of the
 * one before, until none of its simpler ones does. Both sides are asked each
 * time, so what is left is true of them, and not of what was thought of them.
 */
import { isDeepStrictEqual } from "node:util";
import type { NativeLiveKvm } from "../native/live-types.js";
import type { VectorDifference, VectorPlayer, VectorRecord } from "../vectors/vector-kind.js";
import { type LiveKind, type Script, Unaskable } from "./live-kind.js";

/** A script with the kernel's answers, and the first one that the engine does not share. */
export interface Differing {
  readonly vector: VectorRecord;
  readonly difference: VectorDifference;
}

/** Scripts that are tried; a VM costs a kernel about a millisecond. */
const MOST_TRIED = 4000;

export interface Sides {
  readonly kind: LiveKind;
  readonly live: NativeLiveKvm;
  readonly engine: VectorPlayer;
}

export interface Compared {
  /** Undefined if both sides agree. */
  readonly differing: Differing | undefined;
  /** Whether the kernel gave one answer whenever it was asked. */
  readonly isSteady: boolean;
}

/** Askings after the first that must all be answered alike before a difference is one, and all that there are. */
const CONFIRMED_BY = 3;
const MOST_ASKINGS = 12;

/**
 * Asks both sides; where they differ, the kernel again and again. Some of its answers depend on the moment: a zap of many
 * pages flushes once more if another task is to run (KVM: kvm_mmu_zap_memslot_pages_and_flush(), v6.18). What the engine
 * says of any asking is agreement.
 */
export function compareSides(sides: Sides, script: Script): Compared {
  let differing = compareOnce(sides, script);
  let isSteady = true;
  for (let alike = 0, asked = 1; differing !== undefined && asked < MOST_ASKINGS; asked++) {
    if (alike === CONFIRMED_BY) return { differing, isSteady };
    const again = compareOnce(sides, script);
    const isAlike = isDeepStrictEqual(again?.vector, differing.vector);
    alike = isAlike ? alike + 1 : 0;
    isSteady &&= isAlike;
    differing = again;
  }
  return { differing: undefined, isSteady };
}

function compareOnce({ kind, live, engine }: Sides, script: Script): Differing | undefined {
  const vector = kind.ask(live, script);
  const difference = playOn(engine, vector);
  return difference && { vector, difference };
}

/** Where vectors cannot say that the engine refuses, its refusal is the difference: the kernel did not. */
function playOn(engine: VectorPlayer, vector: VectorRecord): VectorDifference | undefined {
  try {
    return engine.play(vector);
  } catch (error) {
    const isRefusal = error instanceof Error && "errno" in error && error.errno !== "";
    if (!isRefusal) throw error;
    return { step: 0, op: ["play"], expected: ["0"], got: [error.errno, error.message] };
  }
}

export interface Shrunk extends Differing {
  readonly tried: number;
}

/** @param pause called with how many were tried, before each script */
export async function shrink(
  sides: Sides,
  found: Differing,
  pause: (tried: number) => Promise<void>,
): Promise<Shrunk> {
  let smallest = found;
  let tried = 0;
  for (let isSmaller = true; isSmaller && tried < MOST_TRIED; ) {
    isSmaller = false;
    for (const script of sides.kind.simpler(smallest.vector)) {
      if (++tried > MOST_TRIED) break;
      await pause(tried);
      const next = tryOut(sides, script, found.difference);
      if (next === undefined) continue;
      smallest = next;
      isSmaller = true;
      break;
    }
  }
  return { ...smallest, tried };
}

/** Of the same operation, so that one defect is not traded for another. */
function tryOut(sides: Sides, script: Script, { op }: VectorDifference): Differing | undefined {
  try {
    const { differing } = compareSides(sides, script);
    return differing?.difference.op[0] === op[0] ? differing : undefined;
  } catch (error) {
    if (error instanceof Unaskable) return undefined;
    throw error;
  }
}
