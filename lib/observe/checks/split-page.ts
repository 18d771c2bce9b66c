/**
 * A split that succeeded follows the change of the huge leaf into a table.
 *
 * KVM: tdp_mmu_split_huge_page() (v6.x) prints the line after the exchange, with the entry as it was.
 */
import type { Check, Scene } from "../check.js";
import { hex } from "../check.js";
import { isLeaf, isLink } from "../entry.js";
import type { Changed, Split } from "../line.js";

const check: Check = {
  id: "split-page",
  summary: "a huge page that was split had become a table just before",
  unable: ({ has }) => (has.has("split") ? undefined : "the trace has no kvm_mmu_split_huge_page"),
  start: (scene) => {
    const latest = new Map<number, Changed>();
    return {
      line: (line) => {
        if (line.event === "changed") latest.set(line.thread, line);
        if (line.event === "gap") latest.clear();
        if (line.event === "split") judge(scene, line, latest.get(line.thread));
      },
    };
  },
};

function judge(scene: Scene, line: Split, before: Changed | undefined): void {
  // Before the first change nobody knows: the tracepoint may not have been on.
  if (line.error !== 0 || (before === undefined && scene.known.tables(0, line.level, line.gfn).length === 0))
    return;
  if (before !== undefined && isOf(scene, line, before)) return;
  scene.report({
    severity: "error",
    confidence: "high",
    line: line.number,
    others: before === undefined ? [] : [before.number],
    why: `gfn ${hex(line.gfn)} level ${line.level} was split, and the change before it is not that of ${hex(line.spte)} into a table`,
  });
}

const isOf = ({ format }: Scene, { gfn, level, spte }: Split, before: Changed): boolean =>
  before.gfn === gfn &&
  before.level === level &&
  before.old === spte &&
  isLeaf(format, before.old, level) &&
  isLink(format, before.now, level);

export default check;
