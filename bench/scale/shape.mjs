// How large the run is. Everything follows from the number of regions, a power
// of two: at the full size 1 TiB, 200 million pages and 10^9 events, at 1/1024
// a thousandth of it, in seconds.
const FULL_REGIONS = 2 ** 19;
const FULL_EVENTS = 1e9;
// Each takes 8 KiB of tables of its own, here as in KVM.
const FULL_SPARSE_PAGES = 2 ** 17;
// One for each slot that they lie in.
const LEAST_SPARSE_PAGES = 8 * 511;

/** @param divisor a power of two from 1 to 1024 */
export function shapeOf(divisor, events = FULL_EVENTS / divisor) {
  return {
    regions: FULL_REGIONS / divisor,
    events: Math.round(events),
    sparsePages: Math.max(FULL_SPARSE_PAGES / divisor, LEAST_SPARSE_PAGES),
    vcpus: 4096,
    rounds: 8,
    /** Of each round: pages of every region that are written. */
    sweeps: 4,
  };
}
