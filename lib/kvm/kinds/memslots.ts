/** Scripts of memslots, dirty logs, dirty rings and files of private memory. */
import type { LiveKind } from "../live-kind.js";
import { askOp } from "../memslots/ask.js";
import { generateOps } from "../memslots/generate.js";
import { showsTime } from "../memslots/time.js";
import { opsOf, simplerOps } from "../op-scripts.js";

const memslots: LiveKind = {
  name: "memslots",
  whyNot: (kernel) => {
    if (!kernel.isRecordedKind) return kernel.told.because;
    return kernel.countsFlushes ? undefined : "it counts no flushes (KVM_CAP_BINARY_STATS_FD)";
  },
  generate: (random, id, kernel) => ({ id, ops: generateOps(random, kernel) }),
  ask: (live, script) => {
    const ops = opsOf(script);
    return { id: script.id, ops, res: ops.map((op) => askOp(live, op)) };
  },
  *simpler(script) {
    for (const simple of simplerOps(script)) if (!showsTime(opsOf(simple))) yield simple;
  },
  lengthOf: (script) => opsOf(script).length,
};

export default memslots;
