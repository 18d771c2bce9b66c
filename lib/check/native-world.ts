/** A world as the addon takes it. */
import { EVENT_KINDS } from "../columns/layout.js";
import type { NativeCheckOperation, NativeCheckStep, NativeWorld } from "../native/addon-types.js";
import type { CheckOperation, CheckStep, SmallWorld } from "./world.js";

export const nativeWorldOf = ({ setup, operations }: SmallWorld): NativeWorld => ({
  setup: setup.map(stepOf),
  operations: operations.map(operationOf),
});

const operationOf = ({ steps, symmetry }: CheckOperation): NativeCheckOperation => ({
  steps: steps.map(stepOf),
  symmetry,
});

function stepOf(step: CheckStep): NativeCheckStep {
  if (step.is === "event") return { ...step, kind: EVENT_KINDS.indexOf(step.kind) };
  if (step.is === "mtrr") return step;
  const { is, ...region } = step;
  return { is, region };
}
