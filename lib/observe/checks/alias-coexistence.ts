/**
 * Of two aliases of a frame, private and shared say, one is mapped at a time.
 *
 * Which alias a leaf is for is told by the frame that the line names, or, where lines name stripped frames, by the
 * address of the fault that asked for it.
 */
import type { Check, Scene } from "../check.js";
import { frameOf, hex } from "../check.js";
import { framesOf, isLeaf } from "../entry.js";
import type { Changed, Line } from "../line.js";

interface Leaf {
  readonly alias: number;
  readonly level: number;
  readonly line: number;
}

const check: Check = {
  id: "alias-coexistence",
  summary: "two aliases of a frame are not mapped together",
  unable: ({ aliasFrames, has }) => {
    if (aliasFrames === 0) return "no alias bits were named (--alias)";
    return has.has("changed") ? undefined : "the trace has no kvm_tdp_mmu_spte_changed";
  },
  start: (scene) => {
    const leaves = new Leaves();
    const faults = new Map<number, number>();
    return {
      line: (line) => {
        if (line.event === "fault") faults.set(line.thread, aliasOf(scene, frameOf(line.address)));
        if (line.event === "gap") leaves.clear();
        if (line.event === "changed") judge(scene, line, leaves, faults.get(line.thread) ?? 0);
        if (isOver(line)) faults.delete(line.thread);
      },
    };
  },
};

const isOver = ({ event }: Line): boolean => event === "entry" || event === "unmap";

const both = (a: number, b: number): number => Number(BigInt(a) & BigInt(b));
const aliasOf = ({ aliasFrames }: Scene, gfn: number): number => both(gfn, aliasFrames);

/** Leaves by canonical frame, at each level. */
class Leaves {
  readonly #byLevel = new Map<number, Map<number, Leaf[]>>();

  clear(): void {
    this.#byLevel.clear();
  }

  add(gfn: number, leaf: Leaf): void {
    const frames = this.#byLevel.get(leaf.level) ?? new Map<number, Leaf[]>();
    this.#byLevel.set(leaf.level, frames);
    frames.set(gfn, [...(frames.get(gfn) ?? []), leaf]);
  }

  remove(gfn: number, level: number, alias: number): void {
    const frames = this.#byLevel.get(level);
    const left = (frames?.get(gfn) ?? []).filter((leaf) => leaf.alias !== alias);
    if (left.length === 0) frames?.delete(gfn);
    else frames?.set(gfn, left);
  }

  /** A leaf of another alias that maps some of these frames. */
  other(gfn: number, level: number, alias: number): Leaf | undefined {
    for (const [size, frames] of this.#byLevel) {
      const span = framesOf(Math.min(level, size));
      const first = size > level ? gfn - (gfn % framesOf(size)) : gfn;
      for (let at = first; at < gfn + framesOf(level); at += span) {
        const found = frames.get(at)?.find((leaf) => leaf.alias !== alias);
        if (found !== undefined) return found;
        if (size > level) break;
      }
    }
    return undefined;
  }
}

function judge(scene: Scene, line: Changed, leaves: Leaves, faulted: number): void {
  const { format } = scene;
  const named = aliasOf(scene, line.gfn);
  const gfn = line.gfn - named;
  const [was, is] = [isLeaf(format, line.old, line.level), isLeaf(format, line.now, line.level)];
  if (was && !is) {
    // A removal names no alias where frames are stripped: it is that of the leaf that is there.
    leaves.remove(gfn, line.level, named);
    if (named === 0) leaves.remove(gfn, line.level, scene.aliasFrames);
  }
  if (was || !is) return;
  const alias = named === 0 ? faulted : named;
  const other = leaves.other(gfn, line.level, alias);
  leaves.add(gfn, { alias, level: line.level, line: line.number });
  if (other === undefined) return;
  scene.report({
    severity: "error",
    confidence: named === 0 ? "medium" : "high",
    line: line.number,
    others: [other.line],
    why: `gfn ${hex(gfn)} is mapped through alias ${hex(alias)} while a leaf of level ${other.level} maps it through alias ${hex(other.alias)}`,
  });
}

export default check;
