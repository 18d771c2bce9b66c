// The big guest: 1 TiB behind two slots, nearly four fifths of it mapped page
// by page, and single pages all over the 52 bits of the address space. No
// aliases, no TLB: the way on which the engine goes fastest.
import { createVm } from "gpalias";
import { Feed } from "./feed.mjs";
import { fillSweeps, layoutOf, MAPPED_A_REGION, PAGE, PAGES_A_REGION, REGION, regionGpa } from "./layout.mjs";
import { TableCount } from "./tables.mjs";

// A slot has at most 2^31 - 1 pages: 511 of them, a page short of 8 TiB each,
// reach from 8 TiB to the top. All stand on one stretch of host memory.
const SPARSE_SLOT = 2 ** 43;
const SPARSE_SLOTS = 511;
const SPARSE_HVA = 2 ** 45;
const SPARSE_STEP = 31 * 2 ** 30;
const TOP_PAGE = 2 ** 52 - PAGE;
const MAIN_HVA = 2 ** 40;
const HOLE_SWEEPS = 2;

const sparseSlotGpa = (slot) => (slot + 1) * SPARSE_SLOT;
const sparseOffset = (lap) => lap * SPARSE_STEP;
// One slot after the other, and in each a step further at every lap.
const sparseGpa = (index) =>
  sparseSlotGpa(index % SPARSE_SLOTS) + sparseOffset(Math.floor(index / SPARSE_SLOTS));

function makeVm({ vcpus }, { slots }) {
  const vm = createVm({ vcpus, addressBits: 52 });
  for (const slot of slots) vm.memslots.add(slot);
  for (let slot = 0; slot < SPARSE_SLOTS; slot++) {
    vm.memslots.add({ gpa: sparseSlotGpa(slot), bytes: SPARSE_SLOT - PAGE, hva: SPARSE_HVA });
  }
  vm.memslots.add({ gpa: TOP_PAGE, bytes: PAGE });
  return vm;
}

export class PlainGuest {
  #shape;
  #layout;
  #feed;
  #tables = new TableCount();
  #dirtyPages = 0;

  constructor(shape, hooks) {
    this.#shape = shape;
    this.#layout = layoutOf(shape.regions);
    this.vm = makeVm(shape, this.#layout);
    this.#feed = new Feed("plain", this.vm, { ...hooks, vcpus: shape.vcpus });
  }

  get mainPages() {
    return this.#shape.regions * MAPPED_A_REGION;
  }

  get faultsOf() {
    return this.#feed.faultsOf;
  }

  /** What must be true of the VM when all is over. */
  get expected() {
    const { sparsePages, rounds } = this.#shape;
    return {
      pages: this.mainPages + sparsePages + 1,
      mmio: this.#layout.below * HOLE_SWEEPS * rounds,
      tables: this.#tables.byLevel,
      dirtyPages: this.#dirtyPages,
    };
  }

  /** First touches: all of the memory that will be mapped, then single pages. */
  async map() {
    const { regions, sparsePages } = this.#shape;
    let links = 0;
    for (let region = 0; region < regions; region++) {
      links += this.#tables.add(regionGpa(this.#layout, region));
    }
    await this.#sweeps("first touches", this.mainPages, {}, "fixed", this.mainPages + links);
    links = 0;
    for (let index = 0; index < sparsePages; index++) links += this.#tables.add(sparseGpa(index));
    await this.#sparse("first touches over 52 bits", 0, sparsePages, links);
    const fillTop = (gpa) => gpa.fill(TOP_PAGE, 0, 1);
    const top = 1 + this.#tables.add(TOP_PAGE);
    await this.#feed.accesses("the highest page", 1, fillTop, { fixed: 1, sptes: top }, "write");
  }

  /** Logging begins, every page is written again, and the log is taken. */
  async log() {
    const { bytes } = this.#layout;
    const pages = this.mainPages;
    await this.#operation("logging begins", "dirty-log-enable", () => [0, bytes], pages);
    await this.#sweeps("every page again", pages, { order: 1 }, "fixed", pages);
    await this.#takeLog(pages);
  }

  async round(number) {
    const { regions, sweeps } = this.#shape;
    const rows = sweeps * regions;
    const firstPage = (number * sweeps) % MAPPED_A_REGION;
    const [one, other] = [
      { firstPage, order: number },
      { firstPage, order: number + 1 },
    ];
    await this.#sweeps("writes to clean pages", rows, one, "fixed", rows);
    await this.#sweeps("writes to dirty pages", rows, other, "hit", 0);
    await this.#takeLog(rows);
    await this.#hostTakes(number);
    await this.#hostTakesSparse(number);
    await this.#hole(number);
  }

  /** Reads of what is mapped, over and over. */
  hits(rows, order) {
    return this.#sweeps("hits", rows, { order }, "hit", 0, "read");
  }

  async finish() {
    const { bytes } = this.#layout;
    await this.#operation("logging ends", "dirty-log-disable", () => [0, bytes], 0);
  }

  #sweeps(name, rows, sweep, outcome, sptes, access = "write") {
    const whole = { width: this.#shape.regions, pages: MAPPED_A_REGION, ...sweep };
    const fill = (gpa, from, count) => fillSweeps(gpa, from, count, this.#layout, whole);
    return this.#feed.accesses(name, rows, fill, { [outcome]: rows, sptes }, access);
  }

  #operation(name, kind, rangeOf, sptes, rows = 1) {
    return this.#feed.operations(name, kind, rows, rangeOf, { done: rows, sptes });
  }

  async #takeLog(pages) {
    this.#dirtyPages += pages;
    await this.#operation("the log is taken", "dirty-log-get", () => [0, this.#layout.bytes], pages);
  }

  // Another 64th of the memory each time, in up to 64 parts.
  async #hostTakes(number) {
    const { regions } = this.#shape;
    const width = regions / 64;
    const first = regions / 2 + (number % 16) * width;
    const parts = Math.min(64, width);
    const bytes = (width / parts) * REGION;
    const start = MAIN_HVA + regionGpa(this.#layout, first);
    const pages = width * MAPPED_A_REGION;
    const part = (row) => [start + row * bytes, bytes];
    await this.#operation("the host takes memory back", "hva-invalidate", part, pages, parts);
    await this.#sweeps("what it took is touched", pages, { first, width }, "fixed", pages);
    await this.#takeLog(pages);
  }

  // One page of the host's, of which each sparse slot has one.
  async #hostTakesSparse(number) {
    const lap = number % Math.floor(this.#shape.sparsePages / SPARSE_SLOTS);
    const range = () => [SPARSE_HVA + sparseOffset(lap), PAGE];
    await this.#operation("a page under 511 slots", "hva-invalidate", range, SPARSE_SLOTS);
    await this.#sparse("what it took is touched", lap * SPARSE_SLOTS, SPARSE_SLOTS, 0);
  }

  #sparse(name, first, rows, links) {
    const fill = (gpa, from, count) => {
      for (let row = 0; row < count; row++) gpa[row] = sparseGpa(first + from + row);
    };
    return this.#feed.accesses(name, rows, fill, { fixed: rows, sptes: rows + links }, "write");
  }

  async #hole(number) {
    const { below } = this.#layout;
    const rows = below * HOLE_SWEEPS;
    let links = 0;
    for (let region = 0; region < below; region++) links += this.#tables.add((below + region) * REGION);
    // The hole begins where the lower slot ends: as many regions, so much further.
    const firstPage = number * HOLE_SWEEPS;
    const sweep = { width: below, pages: PAGES_A_REGION, firstPage, alias: below * REGION };
    await this.#sweeps("reads of the hole", rows, sweep, "emulate", rows + links, "read");
  }
}
