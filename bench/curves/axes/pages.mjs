// Cost against the pages that are mapped, in one slot, one after the other:
// from tables that fit the first cache to 1 GiB of them.
import { createVm } from "gpalias";
import { PAGE, runRows, scattered } from "../driver.mjs";

const HITS = 2 ** 19;
const DIRTY = 2 ** 16;
const HVA = 2 ** 40;
// Touching everything takes this many events in all at most, and one round at least.
const MOST_TOUCHES = 2 ** 25;

function prepare(pages) {
  const vm = createVm();
  vm.memslots.add({ gpa: 0, bytes: pages * PAGE, dirtyLog: true });
  const any = (row) => scattered(row, pages) * PAGE;
  const some = Math.min(DIRTY, pages);
  const touch = () => runRows(vm, pages, any, { outcome: "fixed" });
  const take = () => runRows(vm, 1, () => 0, { kind: "dirty-log-get" });
  touch();
  take();
  return {
    at: pages,
    facts: () => {
      const { bytes, engineBytes } = vm.tables();
      return { bytesAPage: engineBytes / pages, ofKvm: engineBytes / bytes };
    },
    series: {
      hit: {
        events: HITS,
        sample: (round) => runRows(vm, HITS, (row) => any(row + round * HITS), { access: "read" }),
      },
      "lost W": { events: some, sample: () => runRows(vm, some, any, { outcome: "fixed" }) },
      "dirty log, a dirty page": { events: some, sample: take },
      "zap, a page": {
        events: some,
        sample: () => {
          const first = Math.floor(pages / 2 / some) * some;
          const ns = runRows(vm, 1, () => HVA + first * PAGE, { kind: "hva-invalidate", bytes: some * PAGE });
          runRows(vm, some, (row) => (first + row) * PAGE, { outcome: "fixed" });
          take();
          return ns;
        },
      },
      "first touch": {
        events: pages,
        rounds: Math.max(1, MOST_TOUCHES / pages),
        sample: () => {
          runRows(vm, 1, () => 0, { kind: "zap-all-fast" });
          const ns = touch();
          take();
          return ns;
        },
      },
    },
    close: () => vm.close(),
  };
}

export default {
  name: "pages",
  label: "pages",
  what: "pages mapped in one slot, no two in a row near each other",
  unit: "ns an event",
  scale: "log",
  points: [10, 12, 14, 16, 18, 20, 22, 24, 25, 26, 27].map((bits) => 2 ** bits),
  prepare,
};
