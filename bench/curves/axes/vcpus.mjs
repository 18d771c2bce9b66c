// Cost against vCPUs, which take turns row by row: without TLBs, and with one
// for each, where a range that is flushed is flushed on all of them.
import { createVm } from "gpalias";
import { PAGE, runRows, scattered } from "../driver.mjs";

const PAGES = 2 ** 16;
const HITS = 2 ** 17;
const HOT = 1024;
const ZAPS = 256;

function vmWith(config) {
  const vm = createVm(config);
  vm.memslots.add({ gpa: 0, bytes: PAGES * PAGE });
  return vm;
}

const any = (row) => scattered(row, PAGES) * PAGE;

// A page is zapped, and touched again; only the zap is timed.
function zaps(vm, vcpus) {
  const page = (row) => scattered(row, HOT) * PAGE;
  const ns = runRows(vm, ZAPS, page, { kind: "zap", bytes: PAGE });
  runRows(vm, ZAPS, page, { vcpus, outcome: "fixed" });
  return ns;
}

function prepare(vcpus) {
  const plain = vmWith({ vcpus });
  const [full, ranged] = ["none", "hyperv"].map((flushProvider) =>
    vmWith({ vcpus, tlb: true, flushProvider }),
  );
  const all = [plain, full, ranged];
  for (const vm of all) runRows(vm, PAGES, any, { vcpus, outcome: "fixed" });
  const hot = (row) => scattered(row, HOT) * PAGE;
  const hits = (vm, pages) => ({ events: HITS, sample: () => runRows(vm, HITS, pages, { vcpus }) });
  return {
    at: vcpus,
    series: {
      hit: hits(plain, any),
      "hit, with TLBs": hits(full, hot),
      "zap of a page": { events: ZAPS, sample: () => zaps(plain, vcpus) },
      "zap, TLBs flushed whole": { events: ZAPS, sample: () => zaps(full, vcpus) },
      "zap, TLBs flushed by range": { events: ZAPS, sample: () => zaps(ranged, vcpus) },
      "first touch": {
        events: PAGES,
        sample: () => {
          runRows(plain, 1, () => 0, { kind: "zap-all-fast" });
          return runRows(plain, PAGES, any, { vcpus, outcome: "fixed" });
        },
      },
    },
    close: () => {
      for (const vm of all) vm.close();
    },
  };
}

export default {
  name: "vcpus",
  label: "vCPUs",
  what: "vCPUs that take turns, 65,536 pages; with TLBs 1,024 of them",
  unit: "ns an event",
  scale: "log",
  points: [1, 4, 16, 64, 256, 1024, 4096],
  prepare,
};
