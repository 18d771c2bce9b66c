// Times what a curve's points do: all points in turn, round after round, so
// that a slow minute of the machine hits each of them and not one; medians.
//
// The time is the process's own processor time. A series whose preparation
// takes longer than what it is for says in how many rounds it takes part.
import { median, spread } from "../stats.mjs";

const MICROSECONDS = 1000;

const cpuNs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * MICROSECONDS;
};

/** Nanoseconds that `run` takes of the processor. */
export function timed(run) {
  const start = cpuNs();
  run();
  return cpuNs() - start;
}

/**
 * @param points `[{ at, series: { name: { events, sample, rounds } }, facts }]`; `sample()` returns nanoseconds for
 * `events` events
 * @returns `[{ at, ns: { name: median }, spread: { name }, facts }]`
 */
export function measurePoints(points, { rounds, onRound = () => {} }) {
  const samples = points.map(({ series }) =>
    Object.fromEntries(Object.keys(series).map((name) => [name, []])),
  );
  for (let round = 0; round < rounds; round++) {
    onRound(round);
    for (const [index, { series }] of points.entries()) {
      for (const [name, { events, sample, rounds: most = rounds }] of Object.entries(series)) {
        if (round < most) samples[index][name].push(sample(round) / events);
      }
    }
  }
  const over = (byName, fold) =>
    Object.fromEntries(Object.entries(byName).map(([name, values]) => [name, fold(values)]));
  return points.map(({ at, facts }, index) => ({
    at,
    ns: over(samples[index], median),
    spread: over(samples[index], spread),
    facts: facts?.() ?? {},
  }));
}
