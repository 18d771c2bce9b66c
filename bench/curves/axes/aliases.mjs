// Cost against aliases of each page: presets with no to four alias bits, all
// aliases of a page used.
import { aliasPreset, createVm } from "gpalias";
import { PAGE, runRows, scattered } from "../driver.mjs";

const PAGES = 2 ** 14;
const HITS = 2 ** 18;
const ZAPS = 2048;
const PRESETS = { 1: "none", 2: "bits:47", 4: "bits:47,48", 8: "bits:47,48,49", 16: "bits:47,48,49,50" };

function seriesOf(strategy, aliases) {
  const preset = PRESETS[aliases];
  const offsets = aliases === 1 ? [0] : aliasPreset(preset).aliases;
  const vm = createVm({ alias: { strategy, preset }, flushProvider: "hyperv" });
  vm.memslots.add({ gpa: 0, bytes: PAGES * PAGE, dirtyLog: true });
  const all = PAGES * aliases;
  const any = (row) => scattered(Math.floor(row / aliases), PAGES) * PAGE + offsets[row % aliases];
  const page = (row) => scattered(row, PAGES) * PAGE;
  const touch = () => runRows(vm, all, any, { outcome: "fixed" });
  const take = () => runRows(vm, 1, () => 0, { kind: "dirty-log-get" });
  touch();
  take();
  const series = {
    hit: { events: HITS, sample: () => runRows(vm, HITS, any, { access: "read" }) },
    "first touch": {
      events: all,
      sample: () => {
        runRows(vm, 1, () => 0, { kind: "zap-all-fast" });
        const ns = touch();
        take();
        return ns;
      },
    },
    "dirty log, a page": {
      events: PAGES,
      sample: () => {
        runRows(vm, PAGES, page, { outcome: "fixed" });
        return take();
      },
    },
    "zap of a page": {
      events: ZAPS,
      sample: () => {
        const ns = runRows(vm, ZAPS, page, { kind: "zap", bytes: PAGE });
        runRows(vm, ZAPS * aliases, any, { outcome: "fixed" });
        take();
        return ns;
      },
    },
  };
  return { vm, series };
}

function prepare(aliases) {
  const { vm, series } = seriesOf("precise", aliases);
  return { at: aliases, series, close: () => vm.close() };
}

export default {
  name: "aliases",
  label: "aliases",
  what: "aliases of each of 16,384 pages, all of them used; strategy precise/tdp",
  unit: "ns an event",
  scale: "log",
  points: [1, 2, 4, 8, 16],
  prepare,
};
