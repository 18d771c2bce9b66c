// What the model prints of a VM is a recording, too: it fits together, the
// model follows it, and a copy with one thing wrong is caught.
import { describe, expect, test } from "vitest";
import { type TraceVerification, verifyTrace } from "../../lib/index.js";
import { type Mutation, mutationsOf } from "../recorded/mutations.js";
import { isLongRun, runSeed, seeded } from "../support/random.js";
import { hasAddon } from "../unit/with-addon.js";
import { emittedBy, KINDS } from "./emitted-traces.js";

const SEEDS = isLongRun ? 200 : 8;
const MUTATED = isLongRun ? 20 : 1;
const MUTATIONS = isLongRun ? 400 : 30;
const OPERATIONS = 60;
const LONG = { timeout: 10 * 60_000 };

// Where two tables lie that no later line names, and D in an entry as it was: hardware sets it without a line.
const isUnseen = ({ kind, what }: Mutation): boolean =>
  kind === "address" || what === "old bit 9 set" || what === "old bit 6 set";

const isCaught = ({ findings, model }: TraceVerification): boolean =>
  findings.some(({ severity }) => severity !== "note") || model?.stopped != null;

describe.skipIf(!hasAddon)("a trace that a VM printed", () => {
  test.each(KINDS)("$name: fits together and is followed to its end", LONG, async (kind) => {
    for (let i = 0; i < SEEDS; i++) {
      const seed = runSeed() + i;
      const { findings, model } = await verifyTrace({ text: emittedBy(kind, seed, OPERATIONS) });
      const wrong = findings.filter(({ severity }) => severity !== "note");
      expect({ seed, wrong: wrong[0], stopped: model?.stopped }).toEqual({
        seed,
        wrong: undefined,
        stopped: null,
      });
    }
  });

  test.each(KINDS)("$name: with one line altered, gone or there twice is caught", LONG, async (kind) => {
    const missed: string[] = [];
    for (let i = 0; i < MUTATED; i++) {
      const seed = runSeed() + i;
      const random = seeded(seed);
      const all = mutationsOf(emittedBy(kind, seed, OPERATIONS)).filter((each) => !isUnseen(each));
      for (let n = 0; n < MUTATIONS; n++) {
        const { line, kind: how, what, text } = random.pick(all);
        if (isCaught(await verifyTrace({ text: text() }))) continue;
        missed.push(`seed ${seed}, line ${line} ${how}: ${what}`);
      }
    }
    expect(missed).toEqual([]);
  });
});
