/** Vectors of a guest's own tables: VMs in steps, and where addresses led. */
import { isDeepStrictEqual } from "node:util";
import type { NativeAddon } from "../../native/addon-types.js";
import { stepsOf, type TranslateStep } from "../translate/step.js";
import { TranslateVm } from "../translate/translate-vm.js";
import type { VectorDifference, VectorKind } from "../vector-kind.js";

const translate: VectorKind = {
  name: "translate",
  claims: ({ steps }) => Array.isArray(steps),
  open: (addon) => ({
    play: (record) => played(addon, stepsOf(record)),
    close: () => {},
  }),
};

export default translate;

function played(addon: NativeAddon, steps: readonly TranslateStep[]): VectorDifference | undefined {
  const vm = new TranslateVm(addon, steps[0]?.ring);
  try {
    for (const [step, asked] of steps.entries()) {
      const part = differenceIn(vm, asked);
      if (part !== undefined) return { step, ...part };
    }
    return undefined;
  } finally {
    vm.close();
  }
}

/** The first part of an answer that differs: `op` names it. */
function differenceIn(vm: TranslateVm, asked: TranslateStep): Omit<VectorDifference, "step"> | undefined {
  const got = vm.answer(asked);
  const parts = new Set([...Object.keys(asked.exp), ...Object.keys(got)]);
  const part = [...parts].find((name) => !isDeepStrictEqual(asked.exp[name], got[name]));
  if (part === undefined) return undefined;
  return { op: [part, asked], expected: [asked.exp[part]], got: [got[part]] };
}
