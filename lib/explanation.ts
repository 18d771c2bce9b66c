/**
 * What there is to say of rules and known defects: why a rule is one, who says
 * so, and which strategies break it.
 *
 * Joins the engine's two lists, of rules and of strategies, and knows no entry
 * of either.
 */
import { nearest, outOfRange } from "./expect.js";
import { type Rule, rules, type StrategyInfo, strategies } from "./native/build-info.js";

/** A known defect: who has it, and how it is seen. */
export interface Defect {
  readonly id: string;
  /** Ids of the rules that see it. */
  readonly rules: readonly string[];
  /** Strategies whose source has it, and under which flavours. */
  readonly strategies: readonly Pick<StrategyInfo, "name" | "flavours">[];
}

/** Rules and defects that have to do with what was asked about. */
export interface Explanation {
  readonly schemaVersion: 1;
  /** The rule or defect that was asked about; absent if it was all of them. */
  readonly asked?: string;
  readonly rules: readonly Rule[];
  readonly defects: readonly Defect[];
}

/**
 * Explains a rule or a defect, or all there are.
 *
 * @param id of a rule, as in {@link Rule.id}, or of a defect: `D1a`
 * @throws RangeError with code `ERR_CONFIG` for an id that is neither, with the nearest one
 * @example explain("alias-stuck").defects[0]?.strategies;
 */
export function explain(id?: string): Explanation {
  const [all, known] = [rules(), knownDefects()];
  if (id === undefined) return { schemaVersion: 1, rules: all, defects: known };
  const rule = all.find((each) => each.id === id);
  const defect = known.find((each) => each.id === id);
  if (rule === undefined && defect === undefined) throw unknown(id, [...all, ...known]);
  return {
    schemaVersion: 1,
    asked: id,
    rules: all.filter((each) => each === rule || each.defects.includes(id)),
    defects: known.filter((each) => each === defect || rule?.defects.includes(each.id)),
  };
}

/** By id: those that a strategy declares, and those that a rule names. */
function knownDefects(): readonly Defect[] {
  const all = [...rules().flatMap(({ defects }) => defects), ...strategies().flatMap(idsOf)];
  return [...new Set(all)].sort().map((id) => ({
    id,
    rules: rules()
      .filter(({ defects }) => defects.includes(id))
      .map((rule) => rule.id),
    strategies: strategies().flatMap(({ name, defects }) =>
      defects.filter((defect) => defect.id === id).map(({ flavours }) => ({ name, flavours })),
    ),
  }));
}

function idsOf({ defects }: StrategyInfo): string[] {
  return defects.map(({ id }) => id);
}

function unknown(id: string, all: readonly { readonly id: string }[]): Error {
  const near = nearest(
    id,
    all.map((each) => each.id),
  );
  const hint = near === undefined ? "gpalias explain lists them" : `did you mean ${near}?`;
  return outOfRange("id", `that of a rule or a defect (${hint})`, id);
}
