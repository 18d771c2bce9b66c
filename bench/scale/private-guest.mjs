// A guest of the same size with private and shared memory: 16 pages of each
// region mapped, which is what a small leaf table holds, and ranges converted
// back and forth. Every access goes the long way, behind a TLB for each vCPU.
import { createVm } from "gpalias";
import { Feed } from "./feed.mjs";
import { fillSweeps, layoutOf, REGION, regionGpa } from "./layout.mjs";
import { TableCount } from "./tables.mjs";

export const STRATEGY = "precise";
export const PRESET = "tdx51";
const SHARED = 2 ** 51;
const PAGES = 16;
const ATTRIBUTE = { shared: 0, private: 1 };

export class PrivateGuest {
  #shape;
  #layout;
  #feed;
  #tables = new TableCount();

  constructor(shape, hooks) {
    this.#shape = shape;
    this.#layout = layoutOf(shape.regions);
    this.vm = createVm({ vcpus: shape.vcpus, tlb: true, alias: { strategy: STRATEGY, preset: PRESET } });
    for (const slot of this.#layout.slots) this.vm.memslots.add(slot);
    this.#feed = new Feed("private", this.vm, { ...hooks, vcpus: shape.vcpus });
  }

  get mainPages() {
    return this.#shape.regions * PAGES;
  }

  get faultsOf() {
    return this.#feed.faultsOf;
  }

  get expected() {
    return { pages: this.mainPages, mmio: 0, tables: this.#tables.byLevel, dirtyPages: 0 };
  }

  async map() {
    const { regions } = this.#shape;
    let links = 0;
    for (let region = 0; region < regions; region++) {
      links += this.#tables.add(regionGpa(this.#layout, region));
    }
    const rows = this.mainPages;
    await this.#sweeps("first touches, private", rows, {}, { fixed: rows, sptes: rows + links });
  }

  hits(rows, order) {
    return this.#sweeps("hits, private", rows, { order }, { hit: rows, sptes: 0 });
  }

  /** Each second region of a part becomes shared, is used so, and becomes private again. */
  async round(number) {
    const { regions } = this.#shape;
    const width = regions / 256;
    const zone = { first: regions / 2 + (number % 64) * width, width };
    const pages = width * PAGES;
    const shared = { ...zone, alias: SHARED };
    let links = 0;
    for (let region = 0; region < width; region++) {
      links += this.#tables.add(SHARED + regionGpa(this.#layout, zone.first + region));
    }
    await this.#convert("shared", zone, pages);
    await this.#sweeps("private, and shared now", pages, zone, { memoryFault: pages, sptes: 0 });
    await this.#sweeps("first touches, shared", pages, shared, { fixed: pages, sptes: pages + links });
    await this.#convert("private", zone, pages);
    await this.#sweeps("shared, and private now", pages, shared, { memoryFault: pages, sptes: 0 });
    await this.#sweeps("private again", pages, zone, { fixed: pages, sptes: pages });
  }

  #sweeps(name, rows, sweep, expected) {
    const whole = { width: this.#shape.regions, pages: PAGES, ...sweep };
    const fill = (gpa, from, count) => fillSweeps(gpa, from, count, this.#layout, whole);
    return this.#feed.accesses(name, rows, fill, expected, "write");
  }

  // Even regions first, so that what is private falls to pieces and is joined
  // again.
  #convert(to, { first, width }, sptes) {
    const half = width / 2;
    const rangeOf = (row) => {
      const region = row < half ? 2 * row : 2 * (row - half) + 1;
      return [regionGpa(this.#layout, first + region), REGION];
    };
    const expected = { done: width, sptes };
    const bits = ATTRIBUTE[to];
    return this.#feed.operations(`conversions to ${to}`, "attributes", width, rangeOf, expected, { bits });
  }
}
