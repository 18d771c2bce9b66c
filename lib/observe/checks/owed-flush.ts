/**
 * What takes rights away is flushed before the thread goes on.
 *
 * Of KVM's flushes only those by hypercall print a line (hyperv_nested_flush_guest_mapping*). One that failed is
 * followed by a full flush that prints nothing.
 */
import type { Check, Scene } from "../check.js";
import { hex } from "../check.js";
import { has, isFrozen, isLeaf } from "../entry.js";
import type { Changed, Line } from "../line.js";

const check: Check = {
  id: "owed-flush",
  summary: "a leaf that loses rights is flushed",
  unable: ({ has: events }) =>
    events.has("flush")
      ? undefined
      : "on bare metal no flush prints a line, and the trace has none of Hyper-V's hypercall",
  start: (scene) => {
    const owed = new Map<number, Changed>();
    return {
      line: (line) => {
        if (line.event === "flush" || line.event === "gap") owed.clear();
        if (line.event === "changed" && takesRights(scene, line) && !owed.has(line.thread)) {
          owed.set(line.thread, line);
        }
        const due = owed.get(line.thread);
        if (due === undefined || !goesOn(line)) return;
        owed.delete(line.thread);
        say(scene, due, line);
      },
    };
  },
};

/** Entries beneath a table that goes are the table's: its zap is flushed where the root still runs. */
function takesRights({ format }: Scene, { old, now, level }: Changed): boolean {
  if (!isLeaf(format, old, level) || isFrozen(format, now)) return false;
  if (now === format.empty) return true;
  const drops = has(old, format.mmuWritable) && !has(now, format.mmuWritable);
  return isLeaf(format, now, level) && drops;
}

const goesOn = ({ event }: Line): boolean => event === "entry" || event === "fault" || event === "unmap";

function say(scene: Scene, due: Changed, next: Line): void {
  scene.report({
    severity: "warning",
    confidence: "medium",
    line: due.number,
    others: [next.number],
    why: `gfn ${hex(due.gfn)} level ${due.level} lost rights, and the thread went on without a flush`,
  });
}

export default check;
