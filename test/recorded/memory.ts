/**
 * The guest's memory, as a recording lets one guess it.
 *
 * A slot is what the recording maps of one 2M region: from its first frame to
 * the last that was ever backed, whole where one leaf maps it whole. Where its
 * host memory lies is known if an unmap zapped a frame of it.
 */
import type { Vm } from "../../lib/index.js";
import { isPresent } from "./entries.js";
import type { Line } from "./lines.js";
import type { Step } from "./story.js";

const PAGE = 4096;
const REGION = 512;
const NO_SLOT = 1n << 63n;

export interface Region {
  readonly slot: number;
  readonly gpa: number;
  readonly bytes: number;
  readonly hva: number;
  readonly backing: "4K" | "2M";
}

const regionOf = (gfn: number): number => Math.floor(gfn / REGION);

/** By number of their 2M region. */
export function regionsOf(steps: readonly Step[]): Map<number, Region> {
  const regions = new Map<number, Region>();
  for (const line of steps.flatMap(({ lines }) => lines)) {
    if (line.event !== "requested" || line.pfn === NO_SLOT) continue;
    const number = regionOf(line.gfn);
    const before = regions.get(number)?.bytes ?? 0;
    const isHuge = line.level > 1;
    const pages = isHuge ? REGION : (line.gfn % REGION) + 1;
    regions.set(number, {
      slot: number,
      gpa: number * REGION * PAGE,
      bytes: Math.max(before, pages * PAGE),
      hva: baseOf(steps, number),
      backing: isHuge ? "2M" : "4K",
    });
  }
  return regions;
}

function baseOf(steps: readonly Step[], region: number): number {
  for (const { deed, lines } of steps) {
    const zapped = lines.find(
      (line): line is Extract<Line, { event: "changed" }> => line.event === "changed",
    );
    if (deed.what !== "unmap" || zapped === undefined || isPresent(zapped.now)) continue;
    if (regionOf(zapped.gfn) === region) return deed.start - (zapped.gfn % REGION) * PAGE;
  }
  return 2 ** 40 + region * REGION * PAGE;
}

/** Slots come when they are first needed, and again after they went. */
export class Memory {
  readonly #vm: Vm;
  readonly #regions: ReadonlyMap<number, Region>;
  readonly #there = new Set<number>();

  constructor(vm: Vm, regions: ReadonlyMap<number, Region>) {
    this.#vm = vm;
    this.#regions = regions;
  }

  need(gfn: number): void {
    const region = this.#regions.get(regionOf(gfn));
    if (region === undefined || this.#there.has(region.slot)) return;
    const { slot: id, ...where } = region;
    this.#vm.memslots.add({ id, ...where });
    this.#there.add(id);
  }

  remove(gfn: number): void {
    const number = regionOf(gfn);
    this.#vm.memslots.get(number)?.delete();
    this.#there.delete(number);
  }

  log(gfn: number): void {
    this.#vm.memslots.get(regionOf(gfn))?.setDirtyLogging(true);
  }
}
