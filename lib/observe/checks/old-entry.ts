/**
 * A change tells what the entry held: that must be what the lines before left in it.
 *
 * Hardware sets Accessed and Dirty without a line, and a zap of a table that stays goes through the frozen value, whose
 * end nobody prints (KVM: tdp_mmu_zap_spte_atomic(), v6.x).
 */
import type { Check, Scene } from "../check.js";
import { hex } from "../check.js";
import { differenceOf, type EntryFormat, inWords, isFrozen, isPresent } from "../entry.js";
import type { Found } from "../known.js";
import type { Changed } from "../line.js";

const EXEC = 1n << 2n;

/**
 * Parts of a huge leaf that is split are printed only when they change. Under the workaround of iTLB multihit they may be
 * executed where the whole could not (KVM: make_small_spte()).
 */
function splitBits({ vendor }: EntryFormat, { table, entry }: Found): bigint {
  const isPart =
    vendor === "ept" && table.level === 1 && table.fill === undefined && entry?.line === table.link;
  return isPart ? EXEC : 0n;
}

function isSilent({ format, has: events }: Scene, was: bigint, { old }: Changed, found: Found): boolean {
  if (isFrozen(format, was)) return found.table.going === undefined && old === format.empty;
  if (!isPresent(format, was) || !isPresent(format, old)) return false;
  const hardware = format.accessed | format.dirty | splitBits(format, found);
  const fixedUnseen = !events.has("fast") && (was & format.mmuWritable) !== 0n ? format.write : 0n;
  const gained = old & ~was;
  return (was & ~old) === 0n && (gained & ~(hardware | fixedUnseen)) === 0n;
}

function judge(scene: Scene, line: Changed): void {
  const found = scene.known.find(line);
  if (found?.entry === undefined || found.entry.spte === line.old) return;
  const { entry, candidates } = found;
  if (isSilent(scene, entry.spte, line, found)) return;
  const { format } = scene;
  const place = `the entry of gfn ${hex(line.gfn)} level ${line.level}`;
  const was = inWords(format, entry.spte, line.level);
  const says = inWords(format, line.old, line.level);
  const differs = was === says ? ` (${differenceOf(format, entry.spte, line.old)} differs)` : "";
  scene.report({
    severity: "error",
    confidence: candidates > 1 ? "medium" : "high",
    line: line.number,
    others: entry.line > 0 ? [entry.line] : [],
    why: `${place} held ${hex(entry.spte)}, ${was}, and is now said to have held ${hex(line.old)}, ${says}${differs}: a change is missing, altered or printed twice`,
  });
}

const check: Check = {
  id: "old-entry",
  summary: "a change begins with what the lines before left in the entry",
  unable: ({ has }) => (has.has("changed") ? undefined : "the trace has no kvm_tdp_mmu_spte_changed"),
  start: (scene) => {
    const latest = new Map<number, Changed>();
    return {
      line: (line) => {
        if (line.event === "gap" || line.event === "omitted") latest.clear();
        if (line.event !== "changed") {
          latest.delete(line.thread);
          return;
        }
        const before = latest.get(line.thread);
        latest.set(line.thread, line);
        if (before !== undefined && isSame(before, line)) twice(scene, line, before);
        else judge(scene, line);
      },
    };
  },
};

/** Hardware may set D again between two rounds of a log, but not within the resolution of the clock. */
const isSame = (a: Changed, b: Changed): boolean =>
  a.gfn === b.gfn &&
  a.level === b.level &&
  a.asId === b.asId &&
  a.old === b.old &&
  a.now === b.now &&
  a.time === b.time;

function twice(scene: Scene, line: Changed, before: Changed): void {
  scene.report({
    severity: "error",
    confidence: "high",
    line: line.number,
    others: [before.number],
    why: `the change of gfn ${hex(line.gfn)} level ${line.level} is printed twice, at the same time`,
  });
}

export default check;
