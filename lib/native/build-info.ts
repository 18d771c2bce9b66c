/** What the addon says of itself, for those who diagnose a set-up. */
import { loadAddon } from "./addon.js";

/** An alias strategy that the engine has. */
export interface StrategyInfo {
  readonly name: string;
  readonly summary: string;
}

/** Every alias strategy, by name. */
export function strategies(): readonly StrategyInfo[] {
  return loadAddon().strategies();
}

/** Compiler, flags and machine features that the addon was built with and finds. */
export function buildInfo(): Readonly<Record<string, string | boolean | number>> {
  return loadAddon().build();
}
