/** Counts as people type them on a command line: decimal or hex. */

/** A parser for an integer in [low, high], which throws a sentence that says so. */
export function integerBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\w+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new RangeError(`expected an integer from ${low} to ${high}`);
  };
}
