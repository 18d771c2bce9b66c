/**
 * What the random sequences make happen under each strategy, on the model
 * alone: each defect that a row is known for, and each answer that only it gives.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pair } from "../support/alias-rows.js";
import { runSeed } from "../support/random.js";
import { scenarios } from "../support/sequence.js";
import { type Transcript, transcribe } from "./differential/transcript.js";

const SEQUENCES = 1200;
const FEW = 1;

type Predicate = (transcript: Transcript) => boolean;

const breaks =
  (rule: string): Predicate =>
  ({ model }) =>
    model.state.violations.has(rule);

const advises = (state: Transcript["model"]["state"]) => state.advisories.has("flush-wider-than-live");
const answers =
  (pattern: RegExp): Predicate =>
  ({ exchanges }) =>
    exchanges.some(({ answer }) => typeof answer === "string" && pattern.test(answer));

const holds =
  (is: (state: Transcript["model"]["state"]) => boolean): Predicate =>
  ({ model }) =>
    is(model.state);

const stale = { "a stale translation": breaks("stale-translation"), "a lost write": breaks("dirty-lost") };
const elided = { "a flush that nobody needs": holds(({ flush }) => flush.none > 0) };

const wide = { "a flush that is wider than what is live": holds(advises) };

const wanted: Readonly<Record<string, Readonly<Record<string, Predicate>>>> = {
  "duplicate-slots/tdp": { "a range flush": answers(/range flush/), ...wide },
  "stolen-bits/tdp": { "both aliases live": holds(({ coexisting }) => coexisting > 0), ...wide },
  "stolen-bits/rmap": stale,
  "stolen-bits-tdx/rmap": {
    "an unblocked leaf": answers(/^unzapped/),
    "a leaf that outlives its slot": breaks("alias-left-mapped"),
  },
  "role-private/tdp": { "an unblocked leaf": answers(/^unzapped/), "an error": answers(/^error/) },
  "v5-as-posted/tdp": { "a stuck guest": breaks("alias-stuck"), "a leak": breaks("permission-leak") },
  "v5-as-reviewed/rmap": wide,
  "v5-as-posted/rmap": {
    ...stale,
    ...wide,
    "a shared leaf": breaks("alias-shared-leaf"),
    "a leak": breaks("permission-leak"),
    "an internal slot with two aliases": breaks("internal-slot-aliased"),
  },
  "mirror/tdp": {
    "a busy external table": answers(/^retry/),
    "a failing one": answers(/^error/),
    "an exit": answers(/^memoryFault/),
    "a conversion on exit": holds(({ conversions }) => conversions > 0),
  },
  "precise/tdp": elided,
  "precise/rmap": elided,
};

test.each(Object.entries(wanted))(
  `of ${SEQUENCES} random sequences some have what %s is known for`,
  (name, all) => {
    const [policy, mmu] = name.split("/") as [string, Pair["mmu"]];
    const lives = fc.sample(scenarios({ pair: { policy, mmu } }), { seed: runSeed(), numRuns: SEQUENCES });
    const transcripts = lives.map(transcribe);
    const counts = Object.entries(all).map(([what, is]) => [what, transcripts.filter(is).length] as const);
    expect(counts.filter(([, count]) => count < FEW)).toEqual([]);
  },
);
