/**
 * The engine's walk of a guest's tables against the reference, in random worlds: tables that lead into each other,
 * slots that are read-only, missing or show the same bytes twice, pages closed to the process, tables beneath. What
 * is answered, what was read in which order, which pages are dirty, and every byte afterwards.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isLongRun, runSeed } from "../support/random.js";
import { playEngine } from "./guest-walk/engine-player.js";
import { playReference } from "./guest-walk/reference-player.js";
import { worlds } from "./guest-walk/world.js";

const LONG = { timeout: 60 * 60_000 };
const RUNS = Number(process.env.GPALIAS_RUNS ?? (isLongRun ? 50_000 : 400));

test("the engine walks every world as the reference does", LONG, () => {
  const property = fc.property(worlds, (world) => {
    const [got, expected] = [playEngine(world), playReference(world)];
    expect(got.answers).toEqual(expected.answers);
    expect(got.dirtied).toEqual(expected.dirtied);
    expect(Buffer.compare(got.arena, expected.arena)).toBe(0);
  });
  fc.assert(property, { seed: runSeed(), numRuns: RUNS });
});
