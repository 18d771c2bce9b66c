// Cost of every pair of strategy and flavour: the same touches, hits, dirty
// rounds and zaps, every second page through its other alias.
//
// Under a preset of private and shared memory those pages are shared, and the
// others private, which no log has: what a dirty round does there it does to
// half of them. Outcomes are not judged: some strategies are modelled with
// their defects, and v5 has the guest stuck where another maps a page.
import { createVm, strategies } from "gpalias";
import { PAGE, runRows, scattered } from "../driver.mjs";

const PAGES = 2 ** 14;
const HITS = 2 ** 16;
const ZAPS = 1024;
const ALIAS = 2 ** 47;

const canonical = (row) => scattered(row, PAGES) * PAGE;
const throughBoth = (row) => canonical(row) + (scattered(row, PAGES) % 2) * ALIAS;

function presetFor(presets) {
  if (presets.includes("attribute")) return "bits:47";
  return presets.includes("private-shared") ? "tdx47" : "none";
}

function makeVm({ strategy, mmu, preset }) {
  const vm = createVm({ mmu, alias: { strategy, preset } });
  vm.memslots.add({ gpa: 0, bytes: PAGES * PAGE, dirtyLog: true });
  if (preset === "tdx47")
    for (let page = 1; page < PAGES; page += 2) vm.setAttributes(page * PAGE, PAGE, "shared");
  return vm;
}

function prepare(pair) {
  const own = pair.strategy === "none" ? canonical : throughBoth;
  const run = (vm, rows, gpa, more) => runRows(vm, rows, gpa, { outcome: "any", ...more });
  const take = (vm) => run(vm, 1, () => 0, { kind: "dirty-log-get" });
  const vm = makeVm(pair);
  run(vm, PAGES, own);
  take(vm);
  return {
    at: `${pair.strategy}/${pair.mmu}`,
    series: {
      hit: { events: HITS, sample: () => run(vm, HITS, own, { access: "read" }) },
      "first touch": {
        events: PAGES,
        sample: () => {
          const fresh = makeVm(pair);
          const ns = run(fresh, PAGES, own);
          fresh.close();
          return ns;
        },
      },
      "lost W": { events: PAGES, sample: () => run(vm, PAGES, own) },
      "dirty log, a page": { events: PAGES, sample: () => take(vm) },
      "zap of a page": {
        events: ZAPS,
        sample: () => {
          const ns = run(vm, ZAPS, canonical, { kind: "zap", bytes: PAGE });
          run(vm, ZAPS, own);
          take(vm);
          return ns;
        },
      },
    },
    close: () => vm.close(),
  };
}

// The baseline first: it is what the others are beside.
const pairs = () =>
  strategies()
    .flatMap(({ name, flavours, presets }) =>
      flavours.map((mmu) => ({ strategy: name, mmu, preset: name === "none" ? "none" : presetFor(presets) })),
    )
    .sort((a, b) => (a.strategy === "none" ? 0 : 1) - (b.strategy === "none" ? 0 : 1));

export default {
  name: "strategies",
  label: "strategies",
  what: "strategies and flavours over 16,384 pages, every second through its other alias",
  unit: "ns an event",
  scale: "bars",
  get points() {
    return pairs();
  },
  prepare,
};
