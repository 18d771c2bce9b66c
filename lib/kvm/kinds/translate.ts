/** Scripts of a guest's own tables: VMs in steps, and where addresses lead. */
import type { LiveKind, Script } from "../live-kind.js";
import { type AskedStep, TranslateAsker } from "../translate/ask.js";
import { generateSteps } from "../translate/generate.js";
import { simplerSteps } from "../translate/simpler.js";

const translate: LiveKind = {
  name: "translate",
  whyNot: (kernel) => (kernel.isRecordedKind ? undefined : kernel.told.because),
  generate: (random, id, kernel) => ({ id, kind: "random", tags: [], steps: generateSteps(random, kernel) }),
  ask: (live, script) => {
    const asked = stepsOf(script);
    const asker = new TranslateAsker(live, asked[0]?.ring);
    return { ...script, steps: asked.map((step) => ({ ...step, exp: asker.answer(step) })) };
  },
  *simpler(script) {
    for (const steps of simplerSteps(stepsOf(script))) yield { ...script, steps };
  },
  lengthOf: (script) => stepsOf(script).length,
};

export default translate;

function stepsOf({ steps }: Script): readonly AskedStep[] {
  return (steps as readonly AskedStep[]).map(
    ({ exp: _exp, ...asked }: AskedStep & { exp?: unknown }) => asked,
  );
}
