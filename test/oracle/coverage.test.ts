/**
 * What the random sequences reach, on the model alone: a differential test is
 * only as good as what it makes happen. Also the laws of the model's state,
 * which no sequence may break.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { runSeed } from "../support/random.js";
import { scenarios } from "../support/sequence.js";
import { type Exchange, type Transcript, transcribe } from "./differential/transcript.js";
import { treeOf } from "./reference/builders.js";
import { floorTo, span } from "./reference/frames.js";
import type { Paging } from "./reference/paging.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const SEQUENCES = 600;
let transcripts: Transcript[] = [];

beforeAll(() => {
  transcripts = fc.sample(scenarios(), { seed: runSeed(), numRuns: SEQUENCES }).map(transcribe);
});

type Predicate = (exchange: Exchange, model: ReferenceMmu) => boolean;

/** In how many of the sequences some exchange is so. */
function reaching(is: Predicate): number {
  return transcripts.filter(({ exchanges, model }) => exchanges.some((exchange) => is(exchange, model)))
    .length;
}

const answers = (pattern: RegExp) => (exchange: Exchange) =>
  typeof exchange.answer === "string" && pattern.test(exchange.answer);

const events = (kind: string, pattern: RegExp) => (exchange: Exchange) =>
  exchange.request.kind === "event" && exchange.request.event.kind === kind && answers(pattern)(exchange);

/** As `answers`, where the walk read a table of every level. */
const walkedDown =
  (pattern: RegExp): Predicate =>
  ({ answer }, { state }) =>
    typeof answer === "string" &&
    pattern.test(answer) &&
    answer.includes(` ${state.config.rootLevel} tables read`);

const CHANGED = / [1-9]\d* SPTEs/;
const HALF = SEQUENCES / 2;
const FEW = SEQUENCES / 300;

describe(`of ${SEQUENCES} random sequences`, () => {
  test.each([
    ["a hit", /^hit, level 1/],
    ["a page mapped", /^fixed, level 1/],
    ["an emulated access to a hole or read-only slot", /^emulate/],
  ])("at least half have %s", (_, pattern) => {
    expect(reaching(answers(pattern))).toBeGreaterThan(HALF);
  });

  test.each<[string, Predicate]>([
    ["a 2M page mapped", answers(/^fixed, level 2/)],
    ["a hit on a 2M page", answers(/^hit, level 2/)],
    ["a 2M page in the place of a table", walkedDown(/^fixed, level 2, .* 1 SPTEs/)],
    ["a write fixed by the fast path", (_, { state }) => state.counters.pf_fast > 0],
    ["an MMIO entry refreshed", walkedDown(/^emulate, level 0, .* 1 SPTEs/)],
    ["an access to a hole that is known", walkedDown(/^emulate, level 0, .* 0 SPTEs/)],
    ["a zap of something", events("zap", CHANGED)],
    ["a drop of everything that was something", events("zap-all-fast", CHANGED)],
    ["a log taken that protects pages", events("dirty-log-get", CHANGED)],
    ["logging started over mapped pages", events("dirty-log-enable", CHANGED)],
    ["a huge page split when logging starts", events("dirty-log-enable", / (51[3-9]|5[2-9]\d|\d{4,}) SPTEs/)],
    ["a huge page recovered when logging stops", events("dirty-log-disable", CHANGED)],
    ["a dirty log with pages", answers(/^dirty pages \d/)],
    ["no dirty log", answers(/^ERR_NO_DIRTY_LOG ENOENT/)],
    ...["ID", "FLAGS", "SIZE", "GPA", "HVA", "ADDRESS_SPACE", "TOO_LARGE", "MISSING"].map(refused("EINVAL")),
    ...["IMMUTABLE", "BEYOND_MAX"].map(refused("EINVAL")),
    ...["OVERLAP"].map(refused("EEXIST")),
  ])("some have %s", (_, is) => {
    expect(reaching(is)).toBeGreaterThanOrEqual(FEW);
  });

  test("each ends with every entry in one place, under tables that exist", () => {
    for (const { model } of transcripts) expect(misplaced(treeOf(model))).toEqual([]);
  });
});

function refused(errno: string) {
  return (name: string): [string, (exchange: Exchange) => boolean] => {
    const code = `ERR_MEMSLOT_${name} ${errno}`;
    return [`a request refused with ${code}`, ({ answer }) => answer === code];
  };
}

/** Entries that have no table to be in, or have something below them that is not theirs. */
function misplaced(paging: Paging): string[] {
  const places = [
    ...[...paging.leaves.values()].map(({ level, gfn }) => ({ level, gfn })),
    ...[...paging.mmio.keys()].map((gfn) => ({ level: 1, gfn })),
  ];
  const tableOf = (level: number, gfn: number) => `${level}:${floorTo(gfn, level + 1)}`;
  const wrong = places.filter(
    ({ level, gfn }) =>
      !Array.from({ length: paging.rootLevel - level + 1 }, (_, i) => level + i).every((at) =>
        paging.tables.has(tableOf(at, gfn)),
      ) || places.some((other) => other.level < level && other.gfn >= gfn && other.gfn < gfn + span(level)),
  );
  return wrong.map(({ level, gfn }) => `level ${level} frame ${gfn}`);
}
