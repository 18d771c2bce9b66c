/**
 * Which runs a comparison has: pairs of strategy and flavour, and for those
 * that cannot be made the engine's reason.
 *
 * It decides; it creates nothing.
 */
import { type ConfigEngine, expectApplicable, inapplicable } from "./config/engine.js";
import { type Flavour, resolveAny, type VmConfig } from "./config.js";
import { expectOneOf, outOfRange, wrongType } from "./expect.js";

/** A pair that was asked for, or that there is. */
export interface Candidate {
  /** `strategy/flavour` */
  readonly run: string;
  readonly strategy: string;
  readonly mmu: Flavour;
  /** Why it cannot be made; undefined if it can. */
  readonly notApplicable: string | undefined;
}

/** The strategy without aliases, which every other one is read against. */
const BASELINE = "none";

/**
 * The pairs to compare, the baseline first.
 *
 * @param asked names of strategies; undefined is all of them
 * @throws MmuError `ERR_UNSUPPORTED` if nothing of what was asked for by name
 * can be made; TypeError or RangeError with code `ERR_CONFIG`
 */
export function candidatesOf(
  engine: ConfigEngine,
  config: VmConfig,
  asked: readonly string[] | undefined,
): readonly Candidate[] {
  const { strategy } = config.alias ?? {};
  if (strategy !== undefined) throw outOfRange("config.alias.strategy", "left out: see strategies", strategy);
  const candidates = namesOf(engine, asked).flatMap((name) => {
    const pairs = flavoursOf(engine, config, name).map((mmu) => candidateOf(engine, config, name, mmu));
    if (asked !== undefined) expectOne(engine, config, pairs, name);
    return pairs;
  });
  if (asked === undefined) expectOne(engine, config, candidates, BASELINE);
  return candidates;
}

function namesOf(engine: ConfigEngine, asked: unknown): readonly string[] {
  const names = engine.strategies().map(({ name }) => name);
  const rest = names.filter((name) => name !== BASELINE);
  if (asked === undefined) return [BASELINE, ...rest];
  if (!Array.isArray(asked) || asked.length === 0) {
    throw wrongType("strategies", "a list of at least one strategy", asked);
  }
  return [...new Set(asked.map((name) => expectOneOf("strategies", name, names)))];
}

function flavoursOf(engine: ConfigEngine, { mmu }: VmConfig, name: string): readonly Flavour[] {
  const flavours = engine.strategies().find((info) => info.name === name)?.flavours ?? [];
  return mmu === undefined ? flavours : flavours.filter((flavour) => flavour === mmu);
}

function candidateOf(engine: ConfigEngine, config: VmConfig, strategy: string, mmu: Flavour): Candidate {
  const notApplicable = inapplicable(engine, resolveAny(engine, configFor(config, { strategy, mmu })));
  return { run: `${strategy}/${mmu}`, strategy, mmu, notApplicable };
}

/** The configuration of one run of a comparison. */
export function configFor(
  config: VmConfig,
  { strategy, mmu }: Pick<Candidate, "strategy" | "mmu">,
): VmConfig {
  return { ...config, alias: { ...config.alias, strategy }, mmu };
}

function expectOne(
  engine: ConfigEngine,
  config: VmConfig,
  pairs: readonly Candidate[],
  strategy: string,
): void {
  if (pairs.some(({ notApplicable }) => notApplicable === undefined)) return;
  const mmu = pairs[0]?.mmu ?? config.mmu ?? "tdp";
  expectApplicable(engine, resolveAny(engine, configFor(config, { strategy, mmu })));
}
