/**
 * One test vector: what was asked of a VM's memslots and dirty logs, and what
 * a real KVM answered.
 *
 * Reads lines of JSON and checks their shape; it knows no engine. The format
 * is described in `test/vectors/README.md`.
 */
import { TraceError } from "../errors.js";
import type { VectorAnswer, VectorOp } from "./types.js";

export interface Vector {
  readonly id: string;
  readonly ops: readonly VectorOp[];
  readonly answers: readonly VectorAnswer[];
}

/** What one argument of an operation may be. */
type Check = (value: unknown) => boolean;

const U32 = 2 ** 32;
const u32: Check = (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < U32;
const flag: Check = (value) => value === 0 || value === 1;
const u64: Check = (value) => typeof value === "string" && /^0x[0-9a-f]{1,16}$/.test(value);
const u32InHex: Check = (value) => typeof value === "string" && /^0x[0-9a-f]{1,8}$/.test(value);
const integer: Check = Number.isInteger;
const filled: Check = (value) => typeof value === "string" && /^([0-9a-f]{2})*:[0-9a-f]{2}$/.test(value);

const ARGUMENTS: Readonly<Record<string, readonly Check[]>> = {
  vm: [u32],
  vcpu: [u32],
  cap: [u32, u32, u64],
  set: [u32, u32, u64, u64, u64],
  set2: [u32, u32, u64, u64, u64, integer, u64],
  gmem: [u64, u64],
  get: [u32, flag],
  clear: [u32, u64, u32InHex, flag, filled],
  poke: [u64],
  peek: [u64],
  ring: [u32],
  reset: [],
};

/**
 * The vector of a line, or undefined for one of a kind that says nothing of
 * memslots (`translate`, `mmuroots`).
 *
 * @param place where the line stands, for the sentence of a refusal
 * @throws TraceError for a line that is no vector
 */
export function parseVector(line: string, place: string): Vector | undefined {
  try {
    return vectorOf(recordOf(line));
  } catch (error) {
    if (error instanceof Malformed) throw new TraceError(`${place}: expected ${error.message}`);
    throw error;
  }
}

/** Its message says what was expected. */
class Malformed extends Error {}

function vectorOf(record: Record<string, unknown>): Vector | undefined {
  const { id, ops, res, steps, kind } = record;
  if (typeof id !== "string") throw malformed('a string "id"');
  if (Array.isArray(steps) || kind !== undefined) return undefined;
  if (!Array.isArray(ops) || ops.length === 0) throw malformed('a list "ops" that is not empty');
  if (!Array.isArray(res) || res.length !== ops.length) throw malformed('a list "res" with an answer an op');
  for (const [step, op] of ops.entries()) checkOp(op, step);
  for (const [step, answer] of res.entries()) checkAnswer(answer, step);
  if (ops[0][0] !== "vm") throw malformed('a "vm" as the first op');
  return { id, ops, answers: res };
}

function recordOf(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw malformed("a JSON object");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw malformed("a JSON object");
}

function checkOp(op: unknown, step: number): void {
  const [name, ...given] = Array.isArray(op) ? op : [];
  const checks = typeof name === "string" && Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name] : undefined;
  if (checks === undefined) throw malformed(`a known op in ops[${step}]`);
  if (given.length === checks.length && checks.every((check, at) => check(given[at]))) return;
  throw malformed(`the arguments of "${name}" in ops[${step}]`);
}

function checkAnswer(answer: unknown, step: number): void {
  const [outcome, flush, ...rest] = Array.isArray(answer) ? answer : [];
  if (typeof outcome === "string" && u32(flush) && rest.length <= 1) return;
  throw malformed(`an outcome, a number of flushes and at most one value in res[${step}]`);
}

function malformed(expected: string): Malformed {
  return new Malformed(expected);
}
