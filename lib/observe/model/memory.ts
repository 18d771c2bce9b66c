/**
 * The guest's memory, as a recording lets one guess it.
 *
 * A slot is what the recording maps of one 2M region: from its first frame to the last that was ever backed, whole where
 * one leaf maps it whole. Where its host memory lies is known if an unmap zapped a frame of it.
 */
import type { Vm } from "../../vm.js";
import { type EntryFormat, framesOf, isPresent } from "../entry.js";
import type { Changed } from "../line.js";
import type { Step } from "./story.js";

const PAGE = 4096;
const REGION = 512;
const NO_SLOT = 1n << 63n;
/** Where host memory is put that no unmap tells of: far from all that is. */
const NOWHERE = 2 ** 40;

export interface Region {
  readonly slot: number;
  readonly gpa: number;
  readonly bytes: number;
  readonly hva: number;
  readonly backing: "4K" | "2M";
}

const regionOf = (gfn: number): number => Math.floor(gfn / REGION);

/** By number of their 2M region. */
export function regionsOf(format: EntryFormat, steps: readonly Step[]): Map<number, Region> {
  const regions = new Map<number, Region>();
  const bases = basesOf(format, steps);
  for (const line of steps.flatMap(({ lines }) => lines)) {
    if (line.event !== "requested" || line.pfn === NO_SLOT) continue;
    const number = regionOf(line.gfn);
    const before = regions.get(number);
    const isHuge = line.level > 1 || before?.backing === "2M";
    const pages = isHuge ? REGION : (line.gfn % REGION) + 1;
    regions.set(number, {
      slot: before?.slot ?? regions.size,
      gpa: number * REGION * PAGE,
      bytes: Math.max(before?.bytes ?? 0, pages * PAGE),
      hva: bases.get(number) ?? NOWHERE + number * REGION * PAGE,
      backing: isHuge ? "2M" : "4K",
    });
  }
  return regions;
}

/**
 * Host addresses of regions, from unmaps that zapped a frame of theirs: of that frame alone, if there is such an unmap; else
 * of a range that may begin before it.
 */
function basesOf(format: EntryFormat, steps: readonly Step[]): Map<number, number> {
  const exact = new Map<number, number>();
  const likely = new Map<number, number>();
  for (const { deed, lines } of steps) {
    const zapped = lines.find((line): line is Changed => line.event === "changed");
    if (deed.what !== "unmap" || zapped === undefined || isPresent(format, zapped.now)) continue;
    const base = deed.start - (zapped.gfn % REGION) * PAGE;
    const isOne = deed.end - deed.start === framesOf(zapped.level) * PAGE;
    // Memory of such a size is aligned to it wherever huge pages are wanted.
    if (isOne) put(exact, regionOf(zapped.gfn), base);
    else put(likely, regionOf(zapped.gfn), deed.start % (REGION * PAGE) === 0 ? deed.start : base);
  }
  return new Map([...likely, ...exact]);
}

function put(bases: Map<number, number>, region: number, base: number): void {
  if (!bases.has(region) && base >= 0) bases.set(region, base);
}

/** Slots are there from the start, as a VMM makes them, and again after they went if they are needed again. */
export class Memory {
  readonly #vm: Vm;
  readonly #regions: ReadonlyMap<number, Region>;
  readonly #there = new Set<number>();

  constructor(vm: Vm, regions: ReadonlyMap<number, Region>) {
    this.#vm = vm;
    this.#regions = regions;
    for (const number of regions.keys()) this.need(number * REGION);
  }

  need(gfn: number): void {
    const region = this.#regions.get(regionOf(gfn));
    if (region === undefined || this.#there.has(region.slot)) return;
    const { slot: id, ...where } = region;
    this.#vm.memslots.add({ id, ...where });
    this.#there.add(id);
  }

  /**
   * A data access that is given less than what backs its frame: a slot is logged then, and was before it had a leaf whose
   * change could tell.
   */
  isGiven(gfn: number, level: number): void {
    const region = this.#regions.get(regionOf(gfn));
    if (region === undefined || region.backing === "4K" || level > 1) return;
    const slot = this.#vm.memslots.get(region.slot);
    if (slot?.dirtyLogging === false) slot.setDirtyLogging(true);
  }

  /**
   * A slot that goes takes every root with it; which one it was hardly matters. It comes back at once, as slots change
   * what MMIO entries are worth, unless the next that is heard of its frames is that no slot has them.
   */
  remove(gfn: number, later: readonly Step[]): void {
    const at = regionOf(gfn);
    const id = this.#regions.get(at)?.slot;
    const slot = id === undefined || !this.#there.has(id) ? [...this.#there][0] : id;
    if (slot === undefined) return;
    this.#vm.memslots.get(slot)?.delete();
    this.#there.delete(slot);
    const [number] = [...this.#regions].find(([, region]) => region.slot === slot) ?? [at];
    if (isBackedNext(later, number)) this.need(number * REGION);
  }

  /** Switched on, or taken where it is on, for each slot that has one of these frames. */
  log(frames: readonly number[]): void {
    const ids = new Set(frames.map((gfn) => this.#regions.get(regionOf(gfn))?.slot));
    for (const id of ids) {
      const slot = id === undefined ? undefined : this.#vm.memslots.get(id);
      if (slot?.dirtyLogging) slot.takeDirtyLog();
      else slot?.setDirtyLogging(true);
    }
  }
}

function isBackedNext(later: readonly Step[], region: number): boolean {
  for (const { lines } of later) {
    for (const line of lines) {
      if (line.event === "requested" && regionOf(line.gfn) === region) return line.pfn !== NO_SLOT;
    }
  }
  return true;
}
