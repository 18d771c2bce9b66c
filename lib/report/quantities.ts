/**
 * Numbers for people: counts, bytes, shares, durations, rates.
 *
 * One locale, so that the same result prints the same text everywhere. Exact
 * where a count is exact; rounded only where the unit says so.
 */

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

const BYTE_UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `598016` is "584 KiB": at most one decimal, and none where it would be 0. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trim(value, 1)} ${BYTE_UNITS[unit]}`;
}

/** Share of `part` in `whole`; never "0.0 %" for something or "100.0 %" for less than all. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "";
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.05) return "<0.1 %";
  if (part < whole && percent >= 99.95) return ">99.9 %";
  return `${percent.toFixed(1)} %`;
}

/** `57.57 s`: scaled, and four significant digits. */
export function formatSeconds(seconds: number): string {
  const [scale, unit] =
    seconds >= 1 ? [1, "s"] : seconds >= 1e-3 ? [1e3, "ms"] : seconds >= 1e-6 ? [1e6, "us"] : [1e9, "ns"];
  return `${Number((seconds * scale).toPrecision(4))} ${unit}`;
}

/** `4.62 M events/s`: three significant digits, as a rate is a measurement and not a count. */
export function formatRate(perSecond: number, what: string): string {
  const [scale, prefix] = perSecond >= 1e6 ? [1e6, "M "] : perSecond >= 1e3 ? [1e3, "k "] : [1, ""];
  return `${Number((perSecond / scale).toPrecision(3))} ${prefix}${what}/s`;
}

function trim(value: number, decimals: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: decimals });
}
