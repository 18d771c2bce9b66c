/**
 * One small world explored, on the thread that asks: a slice, a report, a
 * slice. Who wants more threads gives each a world of its own.
 */
import { nativeConfigOf } from "../config/engine.js";
import { resolveConfigWith } from "../config.js";
import { attempt } from "../errors.js";
import type { NativeAddon, NativeCoverage, NativeFound } from "../native/addon-types.js";
import { nativeWorldOf } from "./native-world.js";
import { NO_NOTEBOOK, type Notebook } from "./notebook.js";
import type { CheckBound, SmallWorld } from "./world.js";

/** Between two reports: a tenth of a second or so. */
const SLICE = 2_000;

export interface Explored extends NativeCoverage {
  readonly found: readonly NativeFound[];
}

/** Lives the world, slice by slice; every `next()` is one, and the last value is the whole answer. */
export function* exploring(
  addon: NativeAddon,
  world: SmallWorld,
  bound: CheckBound,
  notebook: Notebook = NO_NOTEBOOK,
): Generator<NativeCoverage, Explored> {
  const config = nativeConfigOf(resolveConfigWith(addon, world.config));
  const explorer = attempt(() => new addon.Explorer(config, nativeWorldOf(world), bound));
  notebook.open(explorer);
  let coverage = attempt(() => explorer.advance(SLICE));
  while (coverage.end === "not-yet") {
    notebook.note(explorer);
    yield coverage;
    coverage = attempt(() => explorer.advance(SLICE));
  }
  notebook.note(explorer, true);
  return { ...coverage, found: explorer.found() };
}
