/** Fewer events: a choice of them, or all but two. */
import type { Story } from "../story.js";

/** Of more steps pairs are too many. */
const MOST_FOR_PAIRS = 40;

/** Two that only make sense together, such as one more call of a provider and one less. */
export function* fewerStepsTwoByTwo(story: Story): Generator<Story> {
  const { length } = story.steps;
  if (length > MOST_FOR_PAIRS) return;
  for (let second = length - 1; second > 0; second--) {
    for (let first = second - 1; first >= 0; first--) yield withoutSteps(story, [first, second]);
  }
}

function withoutSteps(story: Story, gone: readonly number[]): Story {
  return withSteps(
    story,
    [...story.steps.keys()].filter((at) => !gone.includes(at)),
  );
}

/** With these steps alone. */
export function withSteps(story: Story, kept: readonly number[]): Story {
  const { numbers } = story;
  const chosen = <T>(list: readonly T[]) => kept.map((at) => list[at] as T);
  return { ...story, steps: chosen(story.steps), ...(numbers && { numbers: chosen(numbers) }) };
}
