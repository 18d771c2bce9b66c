/**
 * Delta debugging over rows: the fewest that still do it, down to where no
 * single one can be left out.
 *
 * First the shortest tail, as what leads to a violation mostly stands right in
 * front of it; then parts of half the rows, of a quarter, and so on down to one.
 * It must not know what a row is. Deterministic.
 */

/** How many of these rows, from the first on, are enough; 0 if not even all are. */
export type Fires = (chosen: Uint32Array) => Promise<number>;

/**
 * Reduces rows that fire.
 *
 * @param onFewer is given every choice that fires and is shorter than the one before
 */
export async function reduceRows(
  all: Uint32Array,
  fires: Fires,
  onFewer: (chosen: Uint32Array) => void,
): Promise<Uint32Array> {
  let chosen = await shortestTail(all, fires);
  onFewer(chosen);
  const keep = (fewer: Uint32Array) => {
    chosen = fewer;
    onFewer(fewer);
  };
  for (let size = powerBelow(chosen.length); size > 1; size /= 2) await sweep(chosen, size, fires, keep);
  for (let before = -1; before !== chosen.length; ) {
    before = chosen.length;
    await sweep(chosen, 1, fires, keep);
  }
  return chosen;
}

/** Tails of 1, 2, 4, ... rows: all of them together are no longer than twice the rows. */
async function shortestTail(all: Uint32Array, fires: Fires): Promise<Uint32Array> {
  for (let length = 1; length < all.length; length *= 2) {
    const tail = all.subarray(all.length - length);
    const enough = await fires(tail);
    if (enough > 0) return tail.slice(0, enough);
  }
  return all;
}

/** Tries to leave out each part of `size` rows, the last one first. */
async function sweep(
  start: Uint32Array,
  size: number,
  fires: Fires,
  keep: (fewer: Uint32Array) => void,
): Promise<void> {
  let chosen = start;
  for (let end = chosen.length; end > 0; end -= size) {
    const from = Math.max(0, end - size);
    // What fired may have become so short that this part is gone.
    if (from >= chosen.length) continue;
    const fewer = without(chosen, from, Math.min(end, chosen.length));
    const enough = fewer.length === 0 ? 0 : await fires(fewer);
    if (enough === 0) continue;
    chosen = fewer.slice(0, enough);
    keep(chosen);
  }
}

function without(rows: Uint32Array, from: number, to: number): Uint32Array {
  const rest = new Uint32Array(rows.length - (to - from));
  rest.set(rows.subarray(0, from));
  rest.set(rows.subarray(to), from);
  return rest;
}

const powerBelow = (count: number): number => (count < 2 ? 1 : 2 ** Math.ceil(Math.log2(count / 2)));
