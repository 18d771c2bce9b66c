// What of the native benches is compared with what. Pure data and arithmetic;
// ratios.mjs runs them.
import { median } from "./stats.mjs";

const SHAPES = {
  "1GiB": "262144/1/manual_time",
  "256GiB": "4194304/256/manual_time",
  "4TiB": "262144/4096/manual_time",
};
const GATED = ["1GiB", "256GiB"];

const perShape = (shapes, row) =>
  shapes.map((shape) => {
    const { name, bench, floor, ...rest } = row;
    const at = SHAPES[shape];
    return { name: `${name}-${shape}`, bench: `${bench}/${at}`, floor: `${floor}/${at}`, ...rest };
  });

const format = (verb, name, type, floor) =>
  perShape(Object.keys(SHAPES), {
    name: `format-${verb.toLowerCase()}-${name}`,
    bench: `${verb}<${type}>`,
    floor: `${verb}<${floor}>`,
  });

/** `target`: the most that the ratio should be, where one is set. */
export const ROWS = [
  ...perShape(GATED, { name: "hit-plain", bench: "HitReplay", floor: "HitPlainFloor", target: 2.5 }),
  ...perShape(GATED, { name: "hit-gathered", bench: "HitReplay", floor: "HitGatheredFloor" }),
  ...perShape(GATED, { name: "touch", bench: "TouchReplay", floor: "TouchFloor", target: 3 }),
  // Addresses all over 1 and 16 GiB of 4K pages.
  ...["1", "16"].flatMap((gib) => [
    {
      name: `guest-walk-${gib}GiB`,
      bench: `GuestWalkBatch/${gib}/manual_time`,
      floor: `GuestWalkFloor/${gib}/manual_time`,
      target: 1.5,
    },
    {
      name: `guest-walk-abreast-${gib}GiB`,
      bench: `GuestWalkBatch/${gib}/manual_time`,
      floor: `GuestWalkFloorAbreast/${gib}/manual_time`,
      target: 1.5,
    },
  ]),
  { name: "decode-text", bench: "decode/ftrace", floor: "decode/ftrace-floor" },
  { name: "decode-binary", bench: "decode/binary", floor: "decode/binary-floor" },
  ...["Insert", "Build", "Lookup"].flatMap((verb) => [
    ...format(verb, "compact", "CompactTables", "Wide"),
    ...format(verb, "narrow", "Narrow", "Wide"),
  ]),
  ...format("Insert", "masked", "Masked", "Wide"),
];

/** Bytes of tables: the engine's over the 4096-byte pages that KVM would take. */
export const MEMORY = {
  bench: `HitReplay/${SHAPES["256GiB"]}`,
  floor: `HitPlainFloor/${SHAPES["256GiB"]}`,
  target: 1.2,
};

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
    .map(({ name, bench, floor, target }) => {
      const [nsPerEvent, floorNsPerEvent] = [nsOf(bench), nsOf(floor)];
      return { name, nsPerEvent, floorNsPerEvent, ratio: nsPerEvent / floorNsPerEvent, target };
    });
}

/** Undefined if the report lacks either side. */
export function memoryOf(report) {
  const byName = samplesByName(report);
  const bytesOf = (name) => byName.get(name)?.[0]?.tableBytes;
  const [tableBytes, kvmTableBytes] = [bytesOf(MEMORY.bench), bytesOf(MEMORY.floor)];
  if (tableBytes === undefined || kvmTableBytes === undefined) return undefined;
  return { tableBytes, kvmTableBytes, ratio: tableBytes / kvmTableBytes, target: MEMORY.target };
}
