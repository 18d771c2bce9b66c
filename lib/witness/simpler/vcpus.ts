/** Fewer vCPUs: two become one, and those that are left have the lowest numbers. */
import type { CheckStep } from "../../check/world.js";
import type { Story } from "../story.js";

export function* fewerVcpus(story: Story): Generator<Story> {
  const used = vcpusOf(story);
  yield* renumbered(story, new Map(used.map((vcpu) => [vcpu, 0])));
  for (const [at, vcpu] of used.entries()) {
    for (const other of used.slice(0, at)) yield* renumbered(story, new Map([[vcpu, other]]));
  }
  yield* renumbered(story, new Map(used.map((vcpu, at) => [vcpu, at])));
}

/** In the order in which they first do something. */
const vcpusOf = ({ steps }: Story): number[] => [...new Set(steps.flatMap(vcpuOf))];

const vcpuOf = (step: CheckStep): number[] => (step.is === "event" ? [step.vcpu] : []);

/** With other numbers, and no more vCPUs than it takes; nothing if that is no change. */
function* renumbered(story: Story, names: ReadonlyMap<number, number>): Generator<Story> {
  const steps = story.steps.map((step) =>
    step.is === "event" ? { ...step, vcpu: names.get(step.vcpu) ?? step.vcpu } : step,
  );
  const vcpus = Math.max(0, ...steps.flatMap(vcpuOf)) + 1;
  const isSame = steps.every(
    (step, at) => String(vcpuOf(step)) === String(vcpuOf(story.steps[at] as CheckStep)),
  );
  if (isSame && vcpus === (story.config.vcpus ?? 1)) return;
  yield { ...story, config: { ...story.config, vcpus }, steps };
}
