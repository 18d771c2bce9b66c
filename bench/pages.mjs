// Pages in a random order that is the same in every process.

// Marsaglia's xorshift32: enough for an order, and the same everywhere.
function randomFrom(seed) {
  let state = seed * 0x9e3779b9;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The gpas of `count` pages from 0 on, shuffled. */
export function shuffledPages(count, seed) {
  const gpas = Float64Array.from({ length: count }, (_, page) => page * 4096);
  const random = randomFrom(seed);
  for (let last = count - 1; last > 0; last--) {
    const other = random(last + 1);
    [gpas[last], gpas[other]] = [gpas[other], gpas[last]];
  }
  return gpas;
}
