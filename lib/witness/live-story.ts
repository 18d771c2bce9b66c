/** Lives a story in a VM of its own. */

import type { CheckStep } from "../check/world.js";
import { EventBatch, KIND } from "../columns/event-batch.js";
import type { Outcome } from "../columns/outcome-batch.js";
import { OutcomeBatch } from "../columns/outcome-batch.js";
import { createVm, type Vm } from "../vm.js";
import type { Violation } from "../vm-queries.js";
import { verdictOf } from "./judge.js";
import { pageSizeOf, type Story, type Target } from "./story.js";

/** A VM with the story's memslots, to which nothing has happened. The caller closes it. */
export function startStory({ config, slots }: Story): Vm {
  const vm = createVm(config);
  try {
    for (const slot of slots) liveStep(vm, slot);
    return vm;
  } catch (error) {
    vm.close();
    throw error;
  }
}

const events = new EventBatch(1);
const outcomes = new OutcomeBatch(1);

/** Does one step. @throws as the call of the VM does */
export function liveStep(vm: Vm, step: CheckStep): Outcome {
  if (step.is === "mtrr") return vm.setMtrr(step.msr, step.value);
  if (step.is === "memslot") {
    const { slot, flags, gpa, bytes, hva } = step;
    return vm.memslots.set({ slot, flags, gpa, bytes, hva, backing: pageSizeOf(step) });
  }
  const { kind, gpa, bytes, vcpu, access } = step;
  events.reset();
  events.pushRow(KIND[kind], gpa, bytes, vcpu, access);
  vm.runSync(events, outcomes);
  return outcomes.at(0);
}

/** Lives all of it; undefined if the rule does not fire, or a step is refused. */
export function firesIn(story: Story, target: Target): Violation | undefined {
  let vm: Vm | undefined;
  try {
    vm = startStory(story);
    for (const step of story.steps) liveStep(vm, step);
    return verdictOf(vm, target);
  } catch {
    // What cannot be had or done shows nothing.
    return undefined;
  } finally {
    vm?.close();
  }
}
