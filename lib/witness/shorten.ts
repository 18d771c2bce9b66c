/**
 * From a trace in which a rule fires to the shortest story that still shows it.
 *
 * Near events are tried first, as a page's troubles mostly come from itself;
 * only if they do not show it are all events kept. What is left is made a
 * story, and that simpler. Whoever is stopped hands back the best so far.
 */
import { KIND } from "../columns/event-batch.js";
import { MmuError } from "../errors.js";
import type { Violation } from "../vm-queries.js";
import { collectRows, type Nearness, nearTo } from "./collect-rows.js";
import type { EventRows } from "./event-rows.js";
import type { Search } from "./find.js";
import { targetOf } from "./judge.js";
import { type Ended, OutOfTime } from "./pace.js";
import { RowProbe } from "./probe-rows.js";
import { reduceRows } from "./reduce-rows.js";
import { aliasBytesOf } from "./simpler/canonical.js";
import { simplerConfig } from "./simpler/config.js";
import { simplify } from "./simplify.js";
import type { Story, Target } from "./story.js";

/** More events than these are no story that anyone reads. */
const MOST_STEPS = 100_000;

export interface Shortened {
  readonly story: Story;
  readonly target: Target;
  /** Absent if it is minimal. */
  readonly ended?: Ended;
}

/** @throws OutOfTime if it was stopped before there was anything to show */
export async function shorten(search: Search, found: Violation): Promise<Shortened> {
  const target = targetOf(found);
  let best: (() => Story) | undefined;
  const keep: Keep = (steps, story) => {
    search.pace.found(steps);
    if (steps <= MOST_STEPS) best = story;
  };
  try {
    const start = await shortestRows(search, found, keep);
    const onSimpler = (story: Story) => keep(story.steps.length, () => story);
    return { story: await simplify(start, target, search.pace, onSimpler), target };
  } catch (error) {
    const ended = endedBy(error);
    if (ended === undefined || best === undefined) throw error;
    return { story: best(), target, ended };
  }
}

/** Takes what fires, by how many steps it has: a story is made of it when it is asked for, as most never are. */
type Keep = (steps: number, story: () => Story) => void;

function endedBy(error: unknown): Ended | undefined {
  if (error instanceof OutOfTime) return error.ended;
  return error instanceof MmuError && error.code === "ERR_ABORTED" ? "aborted" : undefined;
}

/** The fewest events of the trace, as they are. */
async function shortestRows(search: Search, found: Violation, keep: Keep): Promise<Story> {
  const { start, rows, chosen, fires } = await plainestThatFire(
    search,
    found,
    await nearestThatFire(search, found),
  );
  const storyOf = (kept: Uint32Array): Story => ({
    ...start,
    steps: Array.from(kept, (row) => rows.step(row)),
    numbers: Array.from(kept, (row) => rows.number(row)),
  });
  const onFewer = (kept: Uint32Array) => keep(kept.length, () => storyOf(kept));
  return storyOf(await reduceRows(chosen, fires, onFewer));
}

interface Firing {
  /** The VM, perhaps with less in it than the trace's. */
  readonly start: Story;
  readonly rows: EventRows;
  readonly chosen: Uint32Array;
  readonly fires: (chosen: Uint32Array) => Promise<number>;
}

async function nearestThatFire(search: Search, found: Violation): Promise<Firing> {
  const aliasBytes = aliasBytesOf(search.start.config);
  const nearby = await collectRows(search, found.firstEvent, nearTo(found.gpa, "region", aliasBytes));
  for (const nearness of ["page", "region"] as const) {
    const firing = await firingOf(search, found, nearby, nearness);
    if (firing !== undefined) return firing;
  }
  const all = await collectRows(search, found.firstEvent, () => true);
  const firing = await firingOf(search, found, all, "any");
  if (firing !== undefined) return firing;
  // The engine is deterministic: the same events cannot do otherwise.
  throw new MmuError("ERR_INTERNAL", `the trace does not show ${found.rule} a second time`);
}

async function firingOf(
  { start, pace }: Search,
  found: Violation,
  rows: EventRows,
  nearness: Nearness,
): Promise<Firing | undefined> {
  const isNear = nearTo(found.gpa, nearness, aliasBytesOf(start.config));
  const chosen = rowsThat(rows, (row) => rows.kind(row) !== KIND.access || isNear(rows.gpa(row)));
  const probe = new RowProbe(start, rows, targetOf(found), pace);
  const fires = (some: Uint32Array) => probe.firesAfter(some);
  const enough = await fires(chosen);
  return enough === 0 ? undefined : { start, rows, chosen: chosen.slice(0, enough), fires };
}

/**
 * With as plain a configuration as these rows still fire in: a provider that fails every thousandth time needs a
 * thousand calls, and one that fails every second time two.
 */
async function plainestThatFire(
  { pace }: Pick<Search, "pace">,
  found: Violation,
  firing: Firing,
): Promise<Firing> {
  if (firing.chosen.length > MOST_STEPS) return firing;
  const { rows, chosen } = firing;
  for (const start of simplerConfig(firing.start)) {
    const probe = new RowProbe(start, rows, targetOf(found), pace);
    const fires = (some: Uint32Array) => probe.firesAfter(some);
    const enough = await fires(chosen);
    if (enough === 0) continue;
    return plainestThatFire({ pace }, found, { start, rows, chosen: chosen.slice(0, enough), fires });
  }
  return firing;
}

function rowsThat(rows: EventRows, wanted: (row: number) => boolean): Uint32Array {
  const chosen = new Uint32Array(rows.count);
  let count = 0;
  for (let row = 0; row < rows.count; row++) if (wanted(row)) chosen[count++] = row;
  return chosen.subarray(0, count);
}
