/** Notes that a rule was broken, and when first. */
import { meets, moved, type Range, rangeAt } from "./frames.js";
import type { State } from "./state.js";

export function violate(state: State, rule: string): void {
  note(state.violations, state, rule);
}

/** Nothing is wrong, and it could be cheaper. */
export function advise(state: State, rule: string): void {
  note(state.advisories, state, rule);
}

function note(found: State["violations"], { now }: State, rule: string): void {
  const known = found.get(rule);
  if (known === undefined) found.set(rule, { rule, count: 1, firstEvent: now.number });
  else known.count += 1;
}

/** Whether hardware reaches a present leaf for that alias of a canonical frame. */
export function isLive({ shape, mappings }: State, canonical: number, alias: number): boolean {
  const issued = shape.issue(canonical, alias);
  return mappings.walk(shape.rootOf(issued), issued).entry.kind === "leaf";
}

/** Nothing of these canonical frames may be mapped any more, through whichever alias. */
export function judgeLeftMapped(state: State, range: Range): void {
  const { shape, mappings } = state;
  const isLeft = shape.aliases.all().some((alias) => {
    const offset = shape.aliases.offset(alias);
    return mappings
      .reached(shape.rootOf(offset))
      .some(
        ({ frame, entry }) =>
          entry.kind === "leaf" && meets(rangeAt(frame, entry.leaf.level), moved(range, offset)),
      );
  });
  if (isLeft) violate(state, "alias-left-mapped");
}
