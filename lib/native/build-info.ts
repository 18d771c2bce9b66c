/** What the addon says of itself, for those who diagnose a set-up. */
import { loadAddon } from "./addon.js";
import type { NativeRule, NativeStrategy } from "./addon-types.js";

/** An alias strategy that the engine has, what it runs under, and what is known to be wrong with it. */
export type StrategyInfo = NativeStrategy;

/** A rule that runs are judged by. */
export type Rule = NativeRule;

/** Every alias strategy, by name. */
export function strategies(): readonly StrategyInfo[] {
  return loadAddon().strategies();
}

/** Every rule that a violation can name. */
export function rules(): readonly Rule[] {
  return loadAddon().rules();
}

/** Compiler, flags and machine features that the addon was built with and finds. */
export function buildInfo(): Readonly<Record<string, string | boolean | number>> {
  return loadAddon().build();
}
