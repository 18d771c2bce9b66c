/**
 * A ring's indices follow each other: a push is one further, a reset catches up, and what is in use is the difference.
 *
 * KVM: kvm_dirty_ring_push() and kvm_dirty_ring_reset(); both print after they counted, in 32 bits that wrap.
 */
import type { Check, Scene } from "../check.js";
import type { Pushed } from "../line.js";

const check: Check = {
  id: "dirty-ring",
  summary: "the indices of dirty rings follow each other",
  unable: ({ has }) => (has.has("push") || has.has("reset") ? undefined : "the trace has no dirty ring"),
  start: (scene) => {
    const rings = new Map<number, Pushed>();
    return {
      line: (line) => {
        if (line.event === "gap" || line.event === "omitted") rings.clear();
        if (line.event !== "push" && line.event !== "reset") return;
        judge(scene, line, rings.get(line.ring));
        rings.set(line.ring, line);
      },
    };
  },
};

const wrapped = (value: number): number => value >>> 0;

function judge(scene: Scene, line: Pushed, before: Pushed | undefined): void {
  const wrong = wrongAlone(line) ?? (before && wrongAfter(line, before));
  if (wrong === undefined) return;
  scene.report({
    severity: "error",
    confidence: "high",
    line: line.number,
    others: before === undefined ? [] : [before.number],
    why: `ring ${line.ring}: ${wrong}`,
  });
}

function wrongAlone({ dirty, reset, used }: Pushed): string | undefined {
  const between = wrapped(dirty - reset);
  return used === between
    ? undefined
    : `${between} entries lie between its indices, and ${used} are said to be in use`;
}

function wrongAfter(line: Pushed, before: Pushed): string | undefined {
  const next = line.event === "push" ? wrapped(before.dirty + 1) : before.dirty;
  if (line.dirty !== next) {
    return `the dirty index was ${before.dirty} and is now ${line.dirty}, not ${next}: a push is missing or printed twice`;
  }
  const back = wrapped(line.reset - before.reset) > wrapped(before.dirty - before.reset);
  if (back) return `the reset index went from ${before.reset} to ${line.reset}, past what was pushed`;
  if (line.event === "push" && line.reset !== before.reset) {
    return `the reset index went from ${before.reset} to ${line.reset} without a reset`;
  }
  return undefined;
}

export default check;
