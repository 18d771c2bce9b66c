/**
 * Scripts that are lists of operations: what is simpler than one.
 *
 * It knows no operation, only that the first makes the VM.
 */
import type { VectorOp } from "../vectors/types.js";
import type { Script } from "./live-kind.js";

export function opsOf({ ops }: Script): readonly VectorOp[] {
  return ops as readonly VectorOp[];
}

/** Operations left out, the largest parts first; then one argument of one operation made plainer. */
export function* simplerOps(script: Script): Generator<Script> {
  const { res: _answers, ...asked } = script;
  const ops = opsOf(script);
  for (const kept of withoutParts(ops)) yield { ...asked, ops: kept };
  for (const [at, op] of ops.entries()) {
    for (const plain of plainerOps(op)) yield { ...asked, ops: ops.with(at, plain) };
  }
}

function* withoutParts(ops: readonly VectorOp[]): Generator<readonly VectorOp[]> {
  for (let part = Math.ceil((ops.length - 1) / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    // From the end: what comes after the difference goes at once.
    for (let from = ops.length - part; from >= 1; from -= part) yield ops.toSpliced(from, part);
  }
}

function* plainerOps([name, ...given]: VectorOp): Generator<VectorOp> {
  for (const [at, value] of given.entries()) {
    for (const plain of plainer(value)) yield [name, ...given.with(at, plain)];
  }
}

/** Values that a reader takes in more easily, none larger than the one given. */
function* plainer(value: unknown): Generator<unknown> {
  if (typeof value === "number" && value > 0) {
    for (const plain of [0, 1]) if (plain < value) yield plain;
    yield* withoutBits(BigInt(value)).map(Number);
  }
  if (typeof value === "string" && value.startsWith("0x")) yield* plainerNumbers(BigInt(value)).map(hexOf);
  if (typeof value === "string" && value.includes(":")) {
    for (const plain of [":00", ":ff"]) if (plain.length < value.length) yield plain;
  }
}

const PAGE = 4096n;
/** Where the process' memory begins. */
const MEMORY = 1n << 45n;

function plainerNumbers(value: bigint): bigint[] {
  const round = value - (value % PAGE);
  return [0n, PAGE, MEMORY, round, ...withoutBits(value)].filter((plain, at, all) => {
    return plain < value && all.indexOf(plain) === at;
  });
}

/** Each value that has one bit less, the highest bit first. */
function withoutBits(value: bigint): bigint[] {
  const bits = Array.from({ length: 64 }, (_, at) => 1n << BigInt(63 - at));
  return bits.filter((bit) => (value & bit) !== 0n && value !== bit).map((bit) => value & ~bit);
}

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}
