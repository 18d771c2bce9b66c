// Where the pages of the big guest are, and in which order they are met.
//
// Everything is a power of two of regions of 2 MiB, so that what must come of
// the run is known beforehand: each region has the same pages mapped, and each
// sweep meets every region once. The order of a sweep is that of an odd
// multiplier: no two events in a row are near each other, and no row is read
// from a table that would have to be kept.
export const PAGE = 4096;
export const REGION = 2 ** 21;
export const PAGES_A_REGION = REGION / PAGE;

/** Of the 512 pages of a region: 382, which makes 200 million of 1 TiB. */
export const MAPPED_A_REGION = 382;

// Odd, so that the first k multiples are k pages of a region.
const PAGE_STRIDE = 167;

// 2^32 over the golden ratio, and others: no two sweeps go alike.
const ORDERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];

/**
 * A guest whose memory has a hole, as below 4 GiB: a small slot at 0, a hole of
 * its size, and the rest behind it.
 *
 * @param regions of memory, a power of two of at least 256
 */
export function layoutOf(regions) {
  const below = regions / 256;
  return {
    regions,
    below,
    /** Of all slots, and the hole among them. */
    bytes: (regions + below) * REGION,
    slots: [
      { gpa: 0, bytes: below * REGION },
      { gpa: 2 * below * REGION, bytes: (regions - below) * REGION },
    ],
  };
}

/** First address of a region of memory, by number. */
export const regionGpa = ({ below }, region) => (region < below ? region : region + below) * REGION;

/**
 * Fills `gpa` with rows [from, from + count) of endless sweeps over regions
 * [first, first + width), a power of two: the k-th sweep meets each of them
 * once, at its (firstPage + k)-th page of `pages`, over and over.
 *
 * @param order which of four orders
 * @param alias added to every address
 */
export function fillSweeps(gpa, from, count, { below }, sweep) {
  const { first = 0, width, pages, firstPage = 0, order = 0, alias = 0 } = sweep;
  const multiplier = ORDERS[order % ORDERS.length];
  const mask = width - 1;
  let row = 0;
  while (row < count) {
    const number = Math.floor((from + row) / width);
    const page = ((((firstPage + number) % pages) * PAGE_STRIDE) % PAGES_A_REGION) * PAGE;
    const end = Math.min(count, (number + 1) * width - from);
    for (; row < end; row++) {
      const region = first + (Math.imul(from + row, multiplier) & mask);
      gpa[row] = alias + page + (region < below ? region : region + below) * REGION;
    }
  }
}
