/** Values that no argument of a kind may have, and tables of them. */
import type { Vm } from "../../lib/index.js";

/** Of no number that is asked for. */
export const NO_INTEGER: readonly unknown[] = [
  Number.NaN,
  -1,
  0.5,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  "1",
  null,
  true,
  {},
];
export const NO_U64: readonly unknown[] = [...NO_INTEGER, -1n, 2n ** 64n];
export const NO_OPTIONS: readonly unknown[] = [
  null,
  1,
  "vcpu",
  { vpcu: 0 },
  { vcpu: 2 },
  { vcpu: -1 },
  { vcpu: "0" },
];

export type Loose = (...values: readonly unknown[]) => unknown;
export interface Method {
  readonly name: string;
  readonly of: (vm: Vm) => Loose;
  /** Arguments that would do, each with values that would not. */
  readonly args: readonly (readonly [good: unknown, bad: readonly unknown[]])[];
}
