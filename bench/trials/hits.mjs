// Hits from JavaScript: 262,144 mapped pages over 1 GiB, each written once in
// a random order, in batches of several lengths and one by one. Beside them
// what a script without the addon would do: a Map from frame to permissions.
import { createVm, EventBatch, OUTCOMES, OutcomeBatch } from "gpalias";
import { shuffledPages } from "../pages.mjs";

const PAGES = 262_144;
const PAGE = 4096;
const HIT = OUTCOMES.indexOf("hit");
const FIXED = OUTCOMES.indexOf("fixed");

function expectEqual(what, got, wanted) {
  if (got !== wanted) throw new Error(`${what}: ${got}, expected ${wanted}`);
}

function batchesOf(gpas, size) {
  return Array.from({ length: gpas.length / size }, (_, index) => {
    const batch = new EventBatch(size);
    for (let i = 0; i < size; i++) batch.pushAccess(gpas[index * size + i], "write");
    return batch;
  });
}

function touchedVm() {
  const vm = createVm();
  vm.memslots.add({ gpa: 0, bytes: PAGES * PAGE });
  const [all] = batchesOf(shuffledPages(PAGES, 1), PAGES);
  vm.runSync(all, new OutcomeBatch(PAGES));
  return vm;
}

// A hit takes no fault, so the count of faults tells whether all were hits.
const expectOnlyHits = (vm) => expectEqual("faults taken", vm.stats().pf_taken, PAGES);

const inBatches = (size) => ({
  name: `hits-batch-${size}`,
  what: `vm.runSync over batches of ${size} hits`,
  beside: "hits-map",
  prepare() {
    const vm = touchedVm();
    const batches = batchesOf(shuffledPages(PAGES, 2), size);
    const outcomes = new OutcomeBatch(size);
    return {
      events: PAGES,
      run() {
        for (const batch of batches) vm.runSync(batch, outcomes);
      },
      verify() {
        for (const batch of batches) {
          vm.runSync(batch, outcomes);
          expectEqual("rows", outcomes.count, size);
          const isHit = (code) => code === HIT;
          expectEqual("only hits", outcomes.outcome.every(isHit), true);
        }
        expectOnlyHits(vm);
      },
    };
  },
});

const oneByOne = {
  name: "hits-single-step",
  what: "vm.access for each hit, an object for each outcome",
  beside: "hits-map",
  prepare() {
    const vm = touchedVm();
    const gpas = shuffledPages(PAGES, 2);
    let hits = 0;
    return {
      events: PAGES,
      run() {
        hits = 0;
        for (let i = 0; i < PAGES; i++) if (vm.access(gpas[i], "write").result === "hit") hits++;
      },
      verify() {
        expectEqual("hits", hits, PAGES);
        expectOnlyHits(vm);
      },
    };
  },
};

const map = {
  name: "hits-map",
  what: "a Map from frame to permissions in JavaScript: no levels, slots or counters",
  prepare() {
    const entries = new Map(Array.from(shuffledPages(PAGES, 1), (gpa) => [gpa / PAGE, 7]));
    const gpas = shuffledPages(PAGES, 2);
    const outcomes = new Uint8Array(PAGES);
    return {
      events: PAGES,
      run() {
        for (let i = 0; i < PAGES; i++) {
          outcomes[i] = (entries.get(Math.floor(gpas[i] / PAGE)) & 2) !== 0 ? HIT : FIXED;
        }
      },
      verify() {
        const isHit = (code) => code === HIT;
        expectEqual("only hits", outcomes.every(isHit), true);
      },
    };
  },
};

const empty = {
  name: "empty-batch",
  what: "vm.runSync of a batch without rows: what one crossing costs",
  prepare() {
    const vm = createVm();
    const batch = new EventBatch(1);
    const outcomes = new OutcomeBatch(1);
    const calls = 1000;
    return {
      events: calls,
      run() {
        for (let i = 0; i < calls; i++) vm.runSync(batch, outcomes);
      },
      verify: () => expectEqual("rows", outcomes.count, 0),
    };
  },
};

export default [map, ...[65_536, 1024, 64].map(inBatches), oneByOne, empty];
