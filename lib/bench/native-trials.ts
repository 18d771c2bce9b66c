/** Trials of the addon: the engine beside floors in C++, with nothing of JavaScript in them. */
import { loadAddon } from "../native/addon.js";
import type { NativeTrialInfo } from "../native/addon-types.js";
import type { Sides, Trial } from "./trial.js";

export const nativeTrials = (): readonly Trial[] => loadAddon().trials().map(trialOf);

function trialOf({ name, what, beside, unit, bytes, target, lacks }: NativeTrialInfo): Trial {
  return {
    ...{ name, what, beside, unit, bytes, prepare: () => sidesOf(name) },
    ...(target !== 0 && { target }),
    ...(lacks !== "" && { lacks }),
  };
}

function sidesOf(name: string): Sides {
  const trial = new (loadAddon().Trial)(name);
  return {
    events: trial.events(),
    engine: () => trial.engine(),
    beside: () => trial.floor(),
    holds: () => trial.holds(),
    close: () => trial.close(),
  };
}
