/** Runs as people name them: `strategy/flavour`. */
import type { Library } from "./command.js";
import { UsageError } from "./exit-codes.js";

export interface Run {
  readonly strategy: string;
  readonly mmu: "tdp" | "rmap";
}

/** Every pair that there is, in the order of `gpalias strategies`. */
export const allRuns = ({ strategies }: Library): readonly Run[] =>
  strategies().flatMap(({ name, flavours }) => flavours.map((mmu) => ({ strategy: name, mmu })));

/**
 * Those that a name stands for: the one, or all flavours of a strategy.
 * @throws UsageError that lists what there is
 */
export function runsCalled(name: string, runs: readonly Run[]): readonly [Run, ...Run[]] {
  const [first, ...others] = runs.filter(
    ({ strategy, mmu }) => name === strategy || name === `${strategy}/${mmu}`,
  );
  if (first !== undefined) return [first, ...others];
  const names = runs.map(({ strategy, mmu }) => `${strategy}/${mmu}`).join(", ");
  throw new UsageError(`no run is called "${name}"; there are ${names}`);
}
