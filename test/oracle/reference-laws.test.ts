/**
 * Laws that random lives of every strategy keep, on the model alone: its
 * figures agree with each other, and each strategy breaks the rules that it is
 * known to break, and no others.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Pair, pairName, pairs } from "../support/alias-rows.js";
import { isLongRun, runSeed } from "../support/random.js";
import { scenarioText } from "../support/scenario-text.js";
import { scenarios } from "../support/sequence.js";
import { transcribe } from "./differential/transcript.js";
import { presetNamed } from "./reference/presets.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const LONG_MS = 60 * 60_000;
const SEQUENCES = Number(process.env.GPALIAS_RUNS ?? (isLongRun ? 2_000 : 60));

/** Rules that a row may break, given range calls, a TLB and internal slots. */
const V5 = ["permission-leak", "alias-stuck", "alias-shared-leaf", "stale-translation", "dirty-lost"];
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "stolen-bits": ["stale-translation", "dirty-lost"],
  // A private leaf that outlives its slot is in no list, so nothing zaps it for a shared one.
  "stolen-bits-tdx": ["stale-translation", "dirty-lost", "alias-left-mapped", "private-shared-coexist"],
  "v5-as-posted": [...V5, "internal-slot-aliased"],
  "v5-as-reviewed": [...V5, "internal-slot-aliased"],
};

const check = (pair: Pair, law: (model: ReferenceMmu, text: string) => void): void => {
  const property = fc.property(scenarios({ pair }), (scenario) =>
    law(transcribe(scenario).model, scenarioText(scenario)),
  );
  fc.assert(property, { seed: runSeed(), numRuns: SEQUENCES });
};

describe.each(pairs.map((pair) => ({ name: pairName(pair), pair })))("$name", ({ pair }) => {
  test("figures that count the same thing are equal", { timeout: LONG_MS }, () => {
    check(pair, (model) => {
      // It had other counters, and fewer.
      if (model.state.config.kernel === "5.10") return;
      const { pages_4k = 0, pages_2m = 0, pages_1g = 0 } = model.stats();
      const reached = model.leaves({ mmio: false });
      expect(model.state.mappings.leaves()).toHaveLength(pages_4k + pages_2m + pages_1g);
      const through = model.leafCounts().flatMap(({ counts }) => counts);
      expect(through.reduce((sum, count) => sum + count, 0)).toBe(reached.length);
      if (pair.mmu === "tdp") expect(reached).toHaveLength(pages_4k + pages_2m + pages_1g);
      const { requests, remote, full } = flushesOf(model);
      expect([requests, remote <= requests]).toEqual([full, true]);
    });
  });

  test("no rule is broken but those that it is known to break", { timeout: LONG_MS }, () => {
    check(pair, (model, text) => {
      const isAliased = presetNamed(model.state.config.preset).bits.length > 0;
      const allowed = isAliased ? (KNOWN[pair.policy] ?? []) : [];
      const broken = model.violations().filter(({ rule }) => !allowed.includes(rule));
      expect(broken, text).toEqual([]);
    });
  });
});

function flushesOf(model: ReferenceMmu) {
  const { remote_tlb_flush_requests = 0, remote_tlb_flush = 0 } = model.stats();
  return { requests: remote_tlb_flush_requests, remote: remote_tlb_flush, full: model.state.flush.full };
}
