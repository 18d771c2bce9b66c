/**
 * Vectors that are a list of operations and a list of their answers: checked,
 * then played one after the other.
 *
 * It knows no operation; whoever plays says which there are.
 */
import { isDeepStrictEqual } from "node:util";
import { type Check, Malformed } from "./malformed.js";
import type { VectorAnswer, VectorOp } from "./types.js";
import type { VectorDifference, VectorRecord } from "./vector-kind.js";

export interface OpList {
  readonly ops: readonly VectorOp[];
  readonly answers: readonly VectorAnswer[];
}

export interface OpListShape {
  /** What each argument of each operation may be. */
  readonly ops: Readonly<Record<string, readonly Check[]>>;
  /** Whether an operation's answer has a good shape, and in words what that is. */
  readonly isAnswer: Check;
  readonly answer: string;
}

/** @throws Malformed */
export function opListOf({ ops, res }: VectorRecord, shape: OpListShape): OpList {
  if (!Array.isArray(ops) || ops.length === 0) throw new Malformed('a list "ops" that is not empty');
  if (!Array.isArray(res) || res.length !== ops.length) {
    throw new Malformed('a list "res" with an answer an op');
  }
  for (const [step, op] of ops.entries()) checkOp(op, step, shape);
  for (const [step, answer] of res.entries()) {
    if (!shape.isAnswer(answer)) throw new Malformed(`${shape.answer} in res[${step}]`);
  }
  if (ops[0][0] !== "vm") throw new Malformed('a "vm" as the first op');
  return { ops, answers: res };
}

/** Asks `perform` until an answer differs. */
export function firstDifference(
  { ops, answers }: OpList,
  perform: (op: VectorOp) => VectorAnswer,
): VectorDifference | undefined {
  for (const [step, op] of ops.entries()) {
    const expected = answers[step] as VectorAnswer;
    const got = perform(op);
    if (!isDeepStrictEqual(got, expected)) return { step, op, expected, got };
  }
  return undefined;
}

function checkOp(op: unknown, step: number, { ops }: OpListShape): void {
  const [name, ...given] = Array.isArray(op) ? op : [];
  const checks = typeof name === "string" && Object.hasOwn(ops, name) ? ops[name] : undefined;
  if (checks === undefined) throw new Malformed(`a known op in ops[${step}]`);
  if (given.length === checks.length && checks.every((check, at) => check(given[at]))) return;
  throw new Malformed(`the arguments of "${name}" in ops[${step}]`);
}
