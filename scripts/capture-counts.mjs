// What a capture's .json counts, from its 32-byte records (docs/trace-formats.md).
export const RECORD_BYTES = 32;

const FLAG = { mmio: 1, rom: 2, kernelRip: 4, upgrade: 8, refault: 16, sameRip: 32, marker: 0x8000 };
const PAGE = 4096n;
const HUGE_PAGE = 2n ** 21n;
const FOUR_GIB = 2n ** 32n;

/** Every count of the records, under the names that a capture's .json has for them. */
export function countsOf(raw) {
  const records = recordsIn(raw);
  const markers = records.filter(has("marker"));
  const accesses = records.filter((record) => !has("marker")(record));
  const mmio = accesses.filter(has("mmio"));
  const faults = accesses.filter((record) => !has("mmio")(record));
  return {
    records: records.length,
    markers: markers.length,
    mmio: mmio.length,
    faults: faults.length,
    by_error_code: tally(faults, ({ error }) => error, hex),
    by_vcpu: tally(faults, ({ vcpu }) => vcpu, String),
    unique_pages: distinct(faults, PAGE),
    unique_2m: distinct(faults, HUGE_PAGE),
    unique_mmio_pages: distinct(mmio, PAGE),
    kernel_rip: faults.filter(has("kernelRip")).length,
    upgrade: faults.filter(has("upgrade")).length,
    refault: faults.filter(has("refault")).length,
    same_rip: faults.filter(has("sameRip")).length,
    rom: faults.filter(has("rom")).length,
    above_4g: faults.filter(({ gpa }) => gpa >= FOUR_GIB).length,
    markers_by_kind: tally(markers, ({ flags }) => flags - FLAG.marker, String),
    first_time_ns: records.at(0)?.time,
    last_time_ns: records.at(-1)?.time,
    time_monotonic: records.every(({ time }, i) => i === 0 || records[i - 1].time <= time),
  };
}

function recordsIn(raw) {
  return Array.from({ length: raw.length / RECORD_BYTES }, (_, i) => {
    const at = i * RECORD_BYTES;
    return {
      time: Number(raw.readBigUInt64LE(at)),
      gpa: raw.readBigUInt64LE(at + 8),
      error: raw.readUInt32LE(at + 24),
      vcpu: raw.readUInt16LE(at + 28),
      flags: raw.readUInt16LE(at + 30),
    };
  });
}

function has(flag) {
  return ({ flags }) => (flags & FLAG[flag]) !== 0;
}

function hex(value) {
  return `0x${value.toString(16)}`;
}

function distinct(records, unit) {
  return new Set(records.map(({ gpa }) => gpa / unit)).size;
}

/** `{name: count}`, ascending by value. */
function tally(records, keyOf, nameOf) {
  const counts = new Map();
  for (const record of records) {
    const value = keyOf(record);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return Object.fromEntries(sorted.map(([value, count]) => [nameOf(value), count]));
}
