// The few statistics that the benches report: medians, and how far half of the
// samples lie from each other.

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

export const median = (values) => quantile(values, 0.5);

/** Distance between the quartiles as a share of the median. */
export const spread = (values) => (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
