/**
 * Makes a story simpler as long as it still shows its rule.
 *
 * A simplification, one file in `simpler/`, says which stories are simpler than
 * one: each by less of something that no simplification ever adds to, so that
 * it ends. The first that fires is taken, and it begins again; what comes out
 * is what none of them can make simpler. Deterministic.
 */
import { firesIn } from "./live-story.js";
import type { Pace } from "./pace.js";
import { reduceRows } from "./reduce-rows.js";
import { simplerConfig } from "./simpler/config.js";
import { lowerPages } from "./simpler/pages.js";
import { fewerSlots, simplerSlots } from "./simpler/slots.js";
import { fewerStepsTwoByTwo, withSteps } from "./simpler/steps.js";
import { simplerValues } from "./simpler/values.js";
import { fewerVcpus } from "./simpler/vcpus.js";
import type { Story, Target } from "./story.js";

/** Stories that are simpler, the simplest first. */
export type Simplification = (story: Story) => Iterable<Story>;

const SIMPLIFICATIONS: readonly Simplification[] = [
  fewerSlots,
  fewerVcpus,
  simplerConfig,
  simplerValues,
  lowerPages,
  simplerSlots,
  fewerStepsTwoByTwo,
];

/** @param onSimpler is given every story that fires and is simpler than the one before */
export async function simplify(
  start: Story,
  target: Target,
  pace: Pace,
  onSimpler: (story: Story) => void,
): Promise<Story> {
  let story = start;
  for (let before: Story | undefined; before !== story; ) {
    before = story;
    // Events first: the fewer there are, the cheaper is every later probe.
    story = await fewestSteps(story, { target, pace, onSimpler });
    for (const simpler of SIMPLIFICATIONS) story = await exhaust(story, simpler, { target, pace, onSimpler });
  }
  return story;
}

interface Search {
  readonly target: Target;
  readonly pace: Pace;
  readonly onSimpler: (story: Story) => void;
}

/** The same story if none of its steps can be left out. */
async function fewestSteps(story: Story, { target, pace, onSimpler }: Search): Promise<Story> {
  let fewest = story;
  const fires = async (chosen: Uint32Array) => {
    const fewer = withSteps(story, [...chosen]);
    await pace.beforeProbe();
    pace.counted(chosen.length);
    return firesIn(fewer, target) === undefined ? 0 : chosen.length;
  };
  await reduceRows(Uint32Array.from(story.steps.keys()), fires, (chosen) => {
    if (chosen.length === fewest.steps.length) return;
    fewest = withSteps(story, [...chosen]);
    onSimpler(fewest);
  });
  return fewest;
}

async function exhaust(start: Story, simpler: Simplification, search: Search): Promise<Story> {
  let story = start;
  for (;;) {
    const next = await firstThatFires(simpler(story), search);
    if (next === undefined) return story;
    story = next;
    search.onSimpler(story);
  }
}

async function firstThatFires(
  candidates: Iterable<Story>,
  { target, pace }: Search,
): Promise<Story | undefined> {
  for (const story of candidates) {
    await pace.beforeProbe();
    pace.counted(story.steps.length);
    if (firesIn(story, target) !== undefined) return story;
  }
  return undefined;
}
