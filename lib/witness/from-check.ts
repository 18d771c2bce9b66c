/**
 * A witness that `check` found, as the report that one of a trace is: to be
 * printed, replayed and exported alike.
 */
import type { CheckViolation } from "../check/result.js";
import type { CheckStep } from "../check/world.js";
import type { VmConfig } from "../config/types.js";
import { isStructural } from "./judge.js";
import { liveStep, startStory } from "./live-story.js";
import type { WitnessReport } from "./report.js";
import type { SlotStep, Story } from "./story.js";
import { tell } from "./tell.js";

/**
 * Lives a small world's witness once more and tells it. Steps that a VM refuses, which a world may have and which
 * change nothing, are left out.
 *
 * @throws MmuError `ERR_INTERNAL` if it does not show its rule
 */
export function checkWitness({ rule, defect = "", witness }: CheckViolation): WitnessReport {
  const start = process.hrtime.bigint();
  const config = witness.config as VmConfig;
  const steps = witness.operations.flatMap((operation) => operation.steps);
  const story = withoutRefused({ config, slots: witness.setup.filter(isSlotStep), steps });
  const told = tell(story, { rule, defect, byAudit: isStructural(rule) });
  return { ...told, minimal: true, timing: { wallNs: Number(process.hrtime.bigint() - start) } };
}

const isSlotStep = (step: CheckStep): step is SlotStep => step.is === "memslot";

function withoutRefused(story: Story): Story {
  const vm = startStory(story);
  try {
    return { ...story, steps: story.steps.filter((step) => isDone(() => liveStep(vm, step))) };
  } finally {
    vm.close();
  }
}

function isDone(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
