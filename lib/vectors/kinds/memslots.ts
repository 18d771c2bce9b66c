/** Vectors of memslots, dirty logs and dirty rings: a list of operations with no word on its kind. */

import { type Check, flag, integer, u32, u32InHex, u64 } from "../malformed.js";
import { VectorVm } from "../memslots/vector-vm.js";
import { firstDifference, type OpListShape, opListOf } from "../op-list.js";
import type { VectorKind } from "../vector-kind.js";

const filled: Check = (value) => typeof value === "string" && /^([0-9a-f]{2})*:[0-9a-f]{2}$/.test(value);

const SHAPE: OpListShape = {
  ops: {
    vm: [u32],
    vcpu: [u32],
    cap: [u32, u32, u64],
    set: [u32, u32, u64, u64, u64],
    set2: [u32, u32, u64, u64, u64, integer, u64],
    gmem: [u64, u64],
    get: [u32, flag],
    clear: [u32, u64, u32InHex, flag, filled],
    poke: [u64],
    peek: [u64],
    ring: [u32],
    reset: [],
  },
  isAnswer,
  answer: "an outcome, a number of flushes and at most one value",
};

const memslots: VectorKind = {
  name: "memslots",
  claims: ({ kind, steps }) => kind === undefined && !Array.isArray(steps),
  open: (addon) => {
    const vm = new VectorVm(addon);
    return {
      play: (record) => firstDifference(opListOf(record, SHAPE), (op) => vm.perform(op)),
      close: () => vm.close(),
    };
  },
};

export default memslots;

function isAnswer(answer: unknown): boolean {
  const [outcome, flush, ...rest] = Array.isArray(answer) ? answer : [];
  return typeof outcome === "string" && u32(flush) && rest.length <= 1;
}
