// Cost against memslots over the same memory, up to as many as KVM allows.
import { createVm } from "gpalias";
import { PAGE, runRows, scattered } from "../driver.mjs";
import { timed } from "../measure.mjs";

const PAGES = 2 ** 18;
const HITS = 2 ** 18;
const ZAPS = 512;
const HVA = 2 ** 40;
// A prime, and no divisor of any number of slots here.
const STRIDE = 7919;

function addSlots(vm, slots, pages) {
  const bytes = (pages / 2 ** Math.ceil(Math.log2(slots))) * PAGE;
  for (let slot = 0; slot < slots; slot++) vm.memslots.add({ gpa: slot * bytes, bytes, dirtyLog: true });
  return bytes;
}

function prepare(slots) {
  const vm = createVm();
  const bytes = addSlots(vm, slots, PAGES);
  // All pages of the slots, one slot after the other being no power of two.
  const pages = (slots * bytes) / PAGE;
  const rows = Math.min(pages, PAGES);
  const any = (row) => (scattered(row % PAGES, PAGES) % pages) * PAGE;
  const touched = new Set();
  for (let row = 0; row < PAGES; row++) touched.add(any(row));
  const order = Float64Array.from(touched);
  const touch = () => runRows(vm, order.length, (row) => order[row], { outcome: "fixed" });
  const take = () => runRows(vm, 1, () => 0, { kind: "dirty-log-get" });
  touch();
  take();
  // Different pages, of different slots as long as there are some.
  const page = (row) => ((row * STRIDE) % slots) * bytes + Math.floor(row / slots) * PAGE;
  return {
    at: slots,
    series: {
      hit: { events: HITS, sample: () => runRows(vm, HITS, any, { access: "read" }) },
      "first touch": {
        events: rows,
        sample: () => {
          runRows(vm, 1, () => 0, { kind: "zap-all-fast" });
          const ns = touch();
          take();
          return ns;
        },
      },
      "dirty log of one slot": {
        events: ZAPS,
        sample: () => runRows(vm, ZAPS, page, { kind: "dirty-log-get", bytes: PAGE }),
      },
      "the host takes a page": {
        events: ZAPS,
        sample: () => {
          const ns = runRows(vm, ZAPS, (row) => HVA + page(row), { kind: "hva-invalidate", bytes: PAGE });
          runRows(vm, ZAPS, page, { outcome: "fixed" });
          take();
          return ns;
        },
      },
      "a slot is added": {
        events: slots,
        sample: () => {
          const other = createVm();
          const ns = timed(() => addSlots(other, slots, PAGES));
          other.close();
          return ns;
        },
      },
    },
    close: () => vm.close(),
  };
}

export default {
  name: "slots",
  label: "memslots",
  what: "memslots over 262,144 pages, all logged, no two pages in a row near each other",
  unit: "ns an event",
  scale: "log",
  points: [1, 8, 64, 512, 4096, 32_764],
  prepare,
};
