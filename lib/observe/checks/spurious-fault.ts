/**
 * A fault on a frame whose entry lets the access through: the vCPU had an older one cached, or the table is not the one
 * that it walks. Once is nothing; again and again, with nothing changed in between, is a vCPU that does not get on.
 */

import { accessOf } from "../access.js";
import type { Check, Scene } from "../check.js";
import { frameOf, hex } from "../check.js";
import { grants } from "../entry.js";
import type { Faulted, Line } from "../line.js";

/** Of a fault that KVM itself calls spurious; two may be two vCPUs. */
const STORM_OF_SPURIOUS = 3;
/** Of one vCPU's faults on a page without a change there. */
const STORM = 16;

interface Streak {
  readonly first: number;
  count: number;
  isSaid: boolean;
}

const check: Check = {
  id: "spurious-fault",
  summary: "a page that is mapped does not fault, and not again and again",
  unable: ({ has }) => (has.has("fault") ? undefined : "the trace has no kvm_page_fault"),
  start: (scene) => {
    const faults = new Map<string, Streak>();
    const spurious = new Map<number, Streak>();
    return {
      line: (line) => {
        if (line.event === "fault") judge(scene, line, faults);
        if (line.event === "fast" && line.spurious) {
          storm(scene, line, spurious, frameOf(line.address), STORM_OF_SPURIOUS, "KVM found nothing to fix");
        }
        if (isProgress(line)) {
          faults.clear();
          spurious.clear();
        }
      },
    };
  },
};

const isProgress = (line: Line): boolean =>
  line.event === "changed" || line.event === "gap" || (line.event === "fast" && line.fixed);

function judge(scene: Scene, line: Faulted, faults: Map<string, Streak>): void {
  const gfn = frameOf(line.address);
  const by = line.vcpu === undefined ? `thread ${line.thread}` : `vCPU ${line.vcpu}`;
  storm(scene, line, faults, `${by} ${gfn}`, STORM, `${by} does not get on`);
  const leaf = scene.known.leafOf(0, gfn) ?? scene.known.leafOf(0, gfn & ~scene.aliasFrames);
  const access = accessOf(scene.format.vendor, line.code);
  if (leaf === undefined || access === undefined) return;
  if (!grants(scene.format, leaf.entry.spte, access)) return;
  scene.report({
    severity: "note",
    confidence: "low",
    line: line.number,
    others: [leaf.entry.line],
    why: `a ${access} of gfn ${hex(gfn)} faulted, and the entry of level ${leaf.level} lets it through: an older one was cached`,
  });
}

function storm<K>(
  scene: Scene,
  line: Line & { readonly address: number },
  streaks: Map<K, Streak>,
  key: K,
  most: number,
  why: string,
): void {
  const streak = streaks.get(key) ?? { first: line.number, count: 0, isSaid: false };
  streaks.set(key, streak);
  streak.count++;
  if (streak.count < most || streak.isSaid) return;
  streak.isSaid = true;
  scene.report({
    severity: "warning",
    confidence: "high",
    line: line.number,
    others: [streak.first],
    why: `${streak.count} faults on gfn ${hex(frameOf(line.address))} with no change in between: ${why}`,
  });
}

export default check;
