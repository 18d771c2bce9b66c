/**
 * A table whose link went: its entries go with it, one after the other, each printed once, and none changes otherwise.
 *
 * KVM: handle_removed_pt(). Under the read lock all 512 are frozen and printed, empty ones too; under the write lock
 * only those that were there (v6.x). 5.10 writes zeros.
 */
import type { Check, Finding, Scene } from "../check.js";
import { hex } from "../check.js";
import { framesOf, inWords, isFrozen, isLink, isPresent } from "../entry.js";
import type { Known, Table } from "../known.js";
import type { Changed, Line } from "../line.js";

const ENTRIES = 512;

const check: Check = {
  id: "removed-table",
  summary: "what is beneath a table that goes, goes too, each entry once and in order",
  unable: ({ has }) => (has.has("changed") ? undefined : "the trace has no kvm_tdp_mmu_spte_changed"),
  start: (scene) => ({
    line: (line) => {
      if (line.event === "changed") judge(scene, line);
      else if (ends(line)) finish(scene, line.thread);
    },
    end: () => finish(scene, undefined, true),
  }),
};

/** Lines that a thread does not print while it takes a table down. */
const ends = ({ event }: Line): boolean =>
  event === "fault" || event === "entry" || event === "unmap" || event === "zap all" || event === "requested";

function judge(scene: Scene, line: Changed): void {
  const { known, format } = scene;
  const found = known.find(line);
  const isGone = isFrozen(format, line.now) || (format.release === "5.10" && line.now === 0n);
  if (found?.table.going?.thread === line.thread && isGone) {
    finishBeneath(scene, line, found.table);
    inOrder(scene, line, found.table);
    return;
  }
  const wrong = wrongAbove(scene, line);
  finish(scene, line.thread);
  if (wrong !== undefined) scene.report({ severity: "error", line: line.number, ...wrong });
}

type Said = Pick<Finding, "confidence" | "others" | "why">;

/** What is wrong with the table that a change is in. */
function wrongAbove({ known, format }: Scene, line: Changed): Said | undefined {
  const place = `gfn ${hex(line.gfn)} level ${line.level}`;
  const tables = known.tables(line.asId, line.level, line.gfn);
  const [first] = tables;
  if (first !== undefined && tables.every(({ going }) => going !== undefined)) {
    const why = `${place} became ${inWords(format, line.now, line.level)} beneath a table whose link went before`;
    return { confidence: "high", others: [first.going?.line ?? 0], why };
  }
  if (isFrozen(format, line.now) && line.old === format.empty) {
    const why = `${place} was empty and was frozen, which happens only beneath a table that goes, and no link to it went`;
    return { confidence: first === undefined ? "medium" : "high", others: [], why };
  }
  return first === undefined ? unlinked(known, line) : undefined;
}

/** A change in a table that no line has linked, where the entry above is known to lead nowhere. */
function unlinked(known: Known, line: Changed): Said | undefined {
  const above = known.tables(line.asId, line.level + 1, line.gfn);
  const entries = above.map((table) => known.entry(table, line.gfn));
  const isKnown = entries.length > 0 && entries.every((entry) => entry !== undefined);
  if (!isKnown || entries.some((entry) => isLink(known.format, entry?.spte ?? 0n, line.level + 1)))
    return undefined;
  const why = `gfn ${hex(line.gfn)} level ${line.level} changed in a table that no line has linked: a line is missing or altered`;
  return { confidence: "medium", others: entries.map((entry) => entry?.line ?? 0), why };
}

function inOrder(scene: Scene, line: Changed, table: Table): void {
  const going = table.going as NonNullable<Table["going"]>;
  if (going.cut || line.gfn === going.next) return;
  const wasEmpty = line.old === scene.format.empty;
  if (line.gfn > going.next && !going.each && !wasEmpty) {
    missed(scene, table, going.next, line.gfn, line.number);
    return;
  }
  scene.report({
    severity: "error",
    confidence: "high",
    line: line.number,
    others: [going.line],
    why: `the entries of the table at gfn ${hex(table.gfn)} go in order, and ${hex(line.gfn)} came where ${hex(going.next)} was next: a line is missing, or printed twice`,
  });
  going.cut = true;
}

function missed(scene: Scene, table: Table, from: number, to: number, at: number): void {
  const going = table.going as NonNullable<Table["going"]>;
  for (let gfn = from; gfn < to; gfn += framesOf(table.level)) {
    const entry = scene.known.entry(table, gfn);
    if (entry === undefined || !isPresent(scene.format, entry.spte)) continue;
    scene.report({
      severity: "error",
      confidence: "high",
      line: at,
      others: [going.line, ...(entry.line > 0 ? [entry.line] : [])],
      why: `the table at gfn ${hex(table.gfn)} level ${table.level} went, and of its entry for gfn ${hex(gfn)}, ${inWords(scene.format, entry.spte, table.level)}, nothing was printed`,
    });
    return;
  }
}

/** The thread is past the tables below this one. */
function finishBeneath(scene: Scene, line: Changed, parent: Table): void {
  for (const table of [...scene.known.goings(line.thread)]) {
    if (table !== parent && table.level < parent.level) close(scene, table, line.number);
  }
}

function finish(scene: Scene, thread: number | undefined, isEnd = false): void {
  for (const table of [...scene.known.goings(thread)]) {
    if (isEnd && table.going !== undefined) table.going.cut ||= table.going.each;
    close(scene, table, table.going?.line ?? 0);
  }
}

function close(scene: Scene, table: Table, line: number): void {
  const { going } = table;
  if (going === undefined) return;
  if (!going.cut) lastOnes(scene, table, line);
  scene.known.drop(table);
}

function lastOnes(scene: Scene, table: Table, line: number): void {
  const going = table.going as NonNullable<Table["going"]>;
  const end = table.gfn + ENTRIES * framesOf(table.level);
  if (going.each && going.next < end) {
    scene.report({
      severity: "error",
      confidence: "high",
      line: going.line,
      others: [line],
      why: `the table at gfn ${hex(table.gfn)} level ${table.level} went entry by entry, and the last that was printed is ${hex(going.next - framesOf(table.level))}: ${(end - going.next) / framesOf(table.level)} are missing`,
    });
  }
  if (!going.each) missed(scene, table, going.next, end, going.line);
}

export default check;
