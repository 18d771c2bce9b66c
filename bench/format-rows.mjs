// Which table formats are compared with which. Pure data and arithmetic;
// formats.mjs runs them.
import { median } from "./stats.mjs";

const SHAPES = {
  "1GiB": "262144/1/manual_time",
  "256GiB": "4194304/256/manual_time",
  "4TiB": "262144/4096/manual_time",
};

const format = (verb, name, type, floor) =>
  Object.entries(SHAPES).map(([shape, at]) => ({
    name: `format-${verb.toLowerCase()}-${name}-${shape}`,
    bench: `${verb}<${type}>/${at}`,
    floor: `${verb}<${floor}>/${at}`,
  }));

export const ROWS = [
  ...["Insert", "Build", "Lookup"].flatMap((verb) => [
    ...format(verb, "compact", "CompactTables", "Wide"),
    ...format(verb, "narrow", "Narrow", "Wide"),
  ]),
  ...format("Insert", "masked", "Masked", "Wide"),
];

/** A google-benchmark filter that picks these benchmarks and no others. Their names have nothing to escape. */
export function filterFor(rows) {
  const names = new Set(rows.flatMap(({ bench, floor }) => [bench, floor]));
  return `^(${[...names].join("|")})$`;
}

function samplesByName(report) {
  const byName = new Map();
  for (const each of report.benchmarks) {
    if (each.run_type !== "iteration" || each.error_occurred) continue;
    const samples = byName.get(each.run_name) ?? [];
    byName.set(each.run_name, [...samples, each]);
  }
  return byName;
}

/** The rows that the report has both sides of, each a ratio of medians. */
export function trialsOf(rows, report) {
  const byName = samplesByName(report);
  const nsOf = (name) => median(byName.get(name).map((each) => 1e9 / each.items_per_second));
  return rows
    .filter(({ bench, floor }) => byName.has(bench) && byName.has(floor))
    .map(({ name, bench, floor }) => {
      const [nsPerEvent, floorNsPerEvent] = [nsOf(bench), nsOf(floor)];
      return { name, nsPerEvent, floorNsPerEvent, ratio: nsPerEvent / floorNsPerEvent };
    });
}
