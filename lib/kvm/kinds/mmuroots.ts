/** Scripts that load, reuse, obsolete and recycle roots of shadow tables. */
import type { LiveKind } from "../live-kind.js";
import { RootsAsker } from "../mmuroots/ask.js";
import { generateRoots } from "../mmuroots/generate.js";
import { opsOf, simplerOps } from "../op-scripts.js";

const mmuroots: LiveKind = {
  name: "mmuroots",
  whyNot: (kernel) => {
    if (!kernel.isRecordedKind) return kernel.told.because;
    return kernel.countsFlushes ? undefined : "it counts no roots (KVM_CAP_BINARY_STATS_FD)";
  },
  generate: (random, id) => ({ id, kind: "mix", ops: generateRoots(random) }),
  ask: (live, { res: _before, ...script }) => {
    const asker = new RootsAsker(live);
    return { ...script, res: opsOf(script).map((op) => asker.answer(op)) };
  },
  simpler: simplerOps,
  lengthOf: (script) => opsOf(script).length,
};

export default mmuroots;
