/**
 * What `precise` pays for being right. Over one stream of events and in one
 * flavour: never more flushes than the older strategy that keeps tables of the
 * same kind, and never more pages.
 *
 * Every row is one comparison of a capture under a preset, a projection, a
 * provider and a TLB. Which ones: test/support/alias-trials.ts.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type Comparison, compare, type Replay, type Trace } from "../../lib/index.js";
import { captures, type Trial, trialName, trialsOf } from "../support/alias-trials.js";

const MINUTES = 60_000;

/** Strategy that `precise` is held against, by run. */
function rivalsOf({ kind, provider }: Trial): Readonly<Record<string, string>> {
  if (kind === "attribute") {
    return { "precise/tdp": "stolen-bits/tdp", "precise/rmap": "stolen-bits/rmap" };
  }
  const rmap = { "precise/rmap": "stolen-bits-tdx/rmap" };
  // It can have no provider.
  return provider === "none" ? { ...rmap, "precise/tdp": "role-private/tdp" } : rmap;
}

/** Flushes that succeeded, and what they covered: a full one all that there is to address. */
function priceOf({ flush, flushScopes, config }: Replay) {
  const everything = 2 ** (config.addressBits - 12);
  const scopes = Object.values(flushScopes);
  return {
    flushes: flush.range + flush.full,
    full: flush.full,
    pages: flush.pages,
    covered: flush.pages + flush.full * everything,
    flushingEvents: scopes.reduce((sum, { range, full }) => sum + range + full, 0),
  };
}

type Price = ReturnType<typeof priceOf>;

// Under several alias bits `stolen-bits` never calls a provider: it flushes
// everything each time, and that once. A call for each live alias is more
// flushes of less.
const FINE: readonly (keyof Price)[] = ["flushes", "pages"];
const ALWAYS: readonly (keyof Price)[] = ["full", "covered", "flushingEvents"];

async function judge(trace: Trace, trial: Trial): Promise<Comparison> {
  const rivals = rivalsOf(trial);
  const strategies = [...Object.keys(rivals), ...Object.values(rivals)].map((run) => run.split("/")[0] ?? "");
  const { preset, project, provider, tlb, dirtyLog } = trial;
  const config = { alias: { preset }, flushProvider: provider, tlb };
  return compare(trace, { strategies, config, dirtyLog, ...(project && { project }) });
}

function expectCheaper(own: Replay, rival: Replay, { preset, provider }: Trial): void {
  const [paid, other] = [priceOf(own), priceOf(rival)];
  const isCoarse = preset.includes(",") && provider !== "none";
  for (const what of isCoarse ? ALWAYS : [...FINE, ...ALWAYS]) {
    expect(paid[what], `${what}, beside ${rival.run}`).toBeLessThanOrEqual(other[what]);
  }
  const aliases = 2 ** own.config.alias.bits.length;
  if (isCoarse) expect(paid.flushes).toBeLessThanOrEqual(aliases * other.flushes);
}

describe.each(captures().map((capture, turn) => ({ ...capture, turn, capture })))(
  "$name",
  ({ capture, turn }) => {
    let trace: Trace;
    beforeAll(async () => {
      trace = await capture.open();
    }, 5 * MINUTES);

    test.each(trialsOf(capture, turn).map((trial) => [trialName(trial), trial] as const))(
      "%s: precise breaks no rule, flushes no more and covers no more",
      async (_, trial) => {
        const { runs } = await judge(trace, trial);
        const found = new Map(runs.map((run) => [run.run, run as Replay]));
        for (const run of ["precise/tdp", "precise/rmap"]) expect(found.get(run)?.violations).toEqual([]);
        for (const [run, rival] of Object.entries(rivalsOf(trial))) {
          const [own, other] = [found.get(run) as Replay, found.get(rival) as Replay];
          // Nothing to pay, nothing shown. And private memory is never logged.
          if (capture.hasRounds && (trial.kind === "attribute" || trial.project))
            expect(priceOf(other).flushes).toBeGreaterThan(0);
          expectCheaper(own, other, trial);
        }
      },
      5 * MINUTES,
    );
  },
);
