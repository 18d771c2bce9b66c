/** Counts and times as people type them on a command line. */

/** A parser for an integer in [low, high], which throws a sentence that says so. */
export function integerBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\w+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new RangeError(`expected an integer from ${low} to ${high}`);
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, "": 1000, s: 1000, m: 60_000, h: 3_600_000 };
/** Longer than anyone waits, and within 2^31 ms. */
const LONGEST_MS = 500 * 3_600_000;

/** `90s`, `2m`, `1.5h`, `500ms`, or seconds: as milliseconds. */
export function durationIn(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text) ?? [];
  const value = Math.round(Number(digits || "NaN") * (UNITS[unit] as number));
  if (value >= 1 && value <= LONGEST_MS) return value;
  throw new RangeError("expected a time such as 90s, 2m or 1h, of at most 500h");
}
