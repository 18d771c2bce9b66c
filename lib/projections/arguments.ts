/**
 * Reading what stands behind the colon of a projection.
 *
 * It knows how numbers are written, not what they are for.
 */
import { outOfRange, wrongType } from "../expect.js";

/** 64 bits as two unsigned halves. */
export interface Seed {
  readonly low: number;
  readonly high: number;
  /** In decimal. */
  readonly text: string;
}

const WORD = 2n ** 32n;
const MAX_SEED = 2n ** 64n - 1n;

/** The parts that `form` captures, all of `text`; a sentence with `syntax` if it is not of that form. */
export function partsOf(text: string, syntax: string, form: RegExp): readonly string[] {
  const match = form.exec(text);
  if (match === null) throw wrongType("project", syntax, text);
  return match.slice(1);
}

/** Hex or decimal, 0 to 2^64 - 1. */
export function seedIn(digits: string): Seed {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(digits) ? BigInt(digits) : undefined;
  if (value === undefined) throw wrongType("project: seed", "a hex or decimal number", digits);
  if (value > MAX_SEED) throw outOfRange("project: seed", "from 0 to 2^64 - 1", digits);
  return { low: Number(value % WORD), high: Number(value / WORD), text: String(value) };
}
