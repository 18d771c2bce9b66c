// Each check on lines of its own: what it finds, and what it leaves alone.
import { describe, expect, test } from "vitest";
import { type VerifyTraceOptions, verifyTrace } from "../../../lib/index.js";
import { hasAddon } from "../with-addon.js";
import { asked, changed, entered, FIRST, fault, set, trace } from "./lines.js";

const LEAF = "600000000077b77";
const TABLES = FIRST.slice(2, 5);

async function found(lines: readonly string[], options: VerifyTraceOptions = {}): Promise<string[]> {
  const { findings } = await verifyTrace({ text: trace(...lines) }, { model: false, ...options });
  return findings.map(({ check, line }) => `${check} ${line}`);
}
async function whyOf(lines: readonly string[], options: VerifyTraceOptions = {}): Promise<string> {
  const { findings } = await verifyTrace({ text: trace(...lines) }, { model: false, ...options });
  return findings.map(({ why }) => why).join("; ");
}
const zap = changed("3", 1, LEAF, "0");

describe.skipIf(!hasAddon)("a recording held to itself", () => {
  test("with nothing wrong has no findings, and a zap and a new fault are nothing wrong", async () => {
    expect(await found(FIRST)).toEqual([]);
    expect(await found([...FIRST, zap, ...FIRST.slice(0, 2), ...FIRST.slice(5)])).toEqual([]);
  });

  test("old-entry: a zap that is printed twice, or not at all", async () => {
    expect(await found([...FIRST, zap, zap])).toEqual(["old-entry 10"]);
    expect(await whyOf([...FIRST, zap, zap])).toContain("is printed twice, at the same time");
    const other = [fault(0x5000), zap];
    expect(await whyOf([...FIRST, zap, ...other])).toContain("held 0, empty, and is now said to have held");
    const again = [...FIRST.slice(0, 2), ...FIRST.slice(5)];
    expect(await found([...FIRST, ...again])).toContain("old-entry 11");
  });

  test("old-entry: hardware sets Accessed and Dirty without a line, and nothing else", async () => {
    const cleaned = changed("3", 1, LEAF, "600000000077977");
    expect(await found([...FIRST, cleaned, changed("3", 1, LEAF, "0")])).toEqual([]);
    const protectedPage = changed("3", 1, "600000000077975", "0");
    expect(await found([...FIRST, cleaned, protectedPage])).toEqual(["old-entry 10"]);
  });

  test("old-entry: a lockless fix is what the entry holds from then on", async () => {
    const armed = changed("3", 1, LEAF, "600000000077b75");
    const fast = `fast_page_fault: vcpu 0 gva 3000 error_code P|W sptep 0 old 0x600000000077b75 new ${LEAF} spurious 0 fixed 1`;
    expect(await found([...FIRST, armed, fault(0x3000), fast, zap])).toEqual([]);
    expect(
      await found([...FIRST, armed, fault(0x3000), fast, changed("3", 1, "600000000077b75", "0")]),
    ).toEqual(["old-entry 12"]);
  });

  test("old-entry: where lines were lost nothing is known", async () => {
    expect(await found([...FIRST, zap, "[LOST 7 EVENTS]", zap])).toEqual([]);
  });

  test("impossible-entry: rights, levels and frames that no kernel combines", async () => {
    const wrong: [string, string][] = [
      [changed("4", 1, "0", "200000000078b77"), "W and not MMU-writable"],
      [changed("4", 1, "0", "400000000078b75"), "MMU-writable and not host-writable"],
      [changed("201", 2, "0", "1003907"), "not the first frame"],
      [changed("200", 2, "0", "600000000078bf3"), "not aligned"],
      [changed("200", 2, "0", "1003905"), "always has W"],
      [changed("4", 1, "0", "0"), "never printed"],
      [changed("3", 1, LEAF, "600000000078b77"), "another frame"],
      [changed("3", 1, LEAF, "400000000077b75"), "not host-writable"],
      [changed("4", 1, "5a0", "0"), "another thread's"],
      [changed("4", 1, "0", "1003107"), "no mark of MMIO"],
      [changed("4", 6, "0", "1003907"), "no tables of level 6"],
    ];
    for (const [line, words] of wrong) expect(await whyOf([...FIRST, line])).toContain(words);
  });

  test("set-entry: the entry, its rights and its place are those of the change", async () => {
    const withSet = (line: string) => found([...FIRST.slice(0, 6), line, entered]);
    expect(await withSet(set("3", LEAF, 1, "1002018"))).toEqual([]);
    expect(await withSet(set("3", "600000000077b75", 1, "1002018", "r-xu"))).toEqual(["set-entry 7"]);
    expect(await withSet(set("3", LEAF, 1, "1002018", "r-xu"))).toEqual(["set-entry 7"]);
    expect(await withSet(set("3", LEAF, 1, "1003018"))).toEqual(["set-entry 7"]);
    expect(await withSet(set("3", LEAF, 1, "1002020"))).toEqual(["set-entry 7"]);
  });

  test("mmio-entry: the frame and the generation are those that were stored", async () => {
    const marked = (spte: string) => [
      fault(0xa000),
      asked("a", "8000000000000000"),
      ...TABLES,
      changed("a", 1, "0", spte),
      "mark_mmio_spte: sptep:0 gfn a access 6 gen a",
    ];
    expect(await found(marked("3e000000a056"))).toEqual([]);
    expect(await whyOf(marked("3e000000a05e"))).toContain("its generation is b, not a");
    expect(await whyOf(marked("3e000000b056"))).toContain("its frame is another");
  });

  test("removed-table: entries go in order, each once, and none that was there is forgotten", async () => {
    const goes = [changed("0", 2, "1002907", "0"), changed("3", 1, LEAF, "5a0")];
    expect(await found([...FIRST, ...goes, entered])).toEqual([]);
    expect(await whyOf([...FIRST, goes[0] as string, entered])).toContain("nothing was printed");
    const each = Array.from({ length: 512 }, (_, i) =>
      changed(i.toString(16), 1, i === 3 ? LEAF : "0", "5a0"),
    );
    const all = [...FIRST, goes[0] as string, ...each, entered];
    expect(await found(all)).toEqual([]);
    expect(await whyOf(all.toSpliced(100, 1))).toContain("go in order");
    expect(await whyOf(all.toSpliced(100, 0, all[100] as string))).toContain("go in order");
    expect(await whyOf(all.toSpliced(-2, 1))).toContain("1 are missing");
  });

  test("removed-table: nothing is mapped beneath a table that went, or that no line has linked", async () => {
    const beneath = [...FIRST, changed("0", 3, "1001907", "0"), changed("0", 2, "1002907", "5a0")];
    expect(await whyOf([...beneath, changed("4", 1, "0", "600000000078b77")])).toContain(
      "beneath a table whose link went",
    );
    const orphan = [...FIRST, changed("40000", 2, "0", "1003907")];
    expect(await whyOf(orphan)).toContain("no line has linked");
    expect(await whyOf([...FIRST, changed("4", 1, "0", "5a0")])).toContain("no link to it went");
  });

  test("requested: a leaf is what was asked for, and comes", async () => {
    expect(await whyOf(FIRST.with(1, asked("3", "78")))).toContain(
      "was for host frame 78, and the leaf maps 77",
    );
    expect(await whyOf(FIRST.toSpliced(1, 1, asked("5", "77")))).toContain("did not ask for");
    const none = [...FIRST.slice(0, 5), entered];
    expect(await whyOf(none)).toContain("no leaf came");
    expect(await found([...FIRST.slice(0, 5), ...FIRST.slice(0, 2), ...FIRST.slice(5)])).toEqual([]);
  });

  test("split-page: a split follows the change of that leaf", async () => {
    const huge = "600000000200bf3";
    const mapped = [
      fault(0x200000),
      asked("200", "200", 2),
      ...TABLES.slice(0, 2),
      changed("200", 2, "0", huge),
      entered,
    ];
    const split = `kvm_mmu_split_huge_page: gfn 200 spte ${huge} level 2 errno 0`;
    const link = changed("200", 2, huge, "1009907");
    expect(await found([...mapped, link, split])).toEqual([]);
    expect(await found([...mapped, split])).toEqual(["split-page 7"]);
    expect(await found([...mapped, split.replace("errno 0", "errno -12")])).toEqual([]);
    const part = changed("201", 1, "600000000201b77", "600000000201977");
    expect(await found([...mapped, link, split, part])).toEqual([]);
    expect(await found([...mapped, link, split, part.replace("201b77", "202b77")])).toContain("old-entry 9");
  });

  test("spurious-fault: a page that is mapped faults, and once KVM says so again and again it is a storm", async () => {
    const notes = await verifyTrace({ text: trace(...FIRST, fault(0x3000)) }, { model: false });
    expect(notes.findings).toMatchObject([{ severity: "note", line: 9 }]);
    const fast = "fast_page_fault: vcpu 0 gva 9000 error_code F sptep 0 old 0x77 new 77 spurious 1 fixed 0";
    expect(await found([fault(0x9000, 0x784), fast, fault(0x9000, 0x784), fast])).toEqual([]);
    const storm = Array.from({ length: 3 }, () => [fault(0x9000, 0x784), fast]).flat();
    expect(await found(storm)).toEqual(["spurious-fault 6"]);
    expect(await found(Array(16).fill(fault(0x9000)))).toEqual(["spurious-fault 16"]);
  });

  test("dirty-ring: indices follow each other", async () => {
    const push = (dirty: number, reset: number, used = dirty - reset) =>
      `kvm_dirty_ring_push: ring 0: dirty 0x${dirty.toString(16)} reset 0x${reset.toString(16)} slot 0 offset 0x1 (used ${used})`;
    const reset = (dirty: number) =>
      push(dirty, dirty).replace("push", "reset").replace(" slot 0 offset 0x1", "");
    expect(await found([push(1, 0), push(2, 0), reset(2), push(3, 2)])).toEqual([]);
    expect(await found([push(1, 0), push(1, 0)])).toEqual(["dirty-ring 2"]);
    expect(await found([push(1, 0), push(3, 0)])).toEqual(["dirty-ring 2"]);
    expect(await found([push(1, 0), push(2, 1)])).toEqual(["dirty-ring 2"]);
    expect(await found([push(2, 0, 3)])).toEqual(["dirty-ring 1"]);
  });

  test("alias-coexistence: two aliases of a frame are not mapped together", async () => {
    const alias = { alias: "bits:31" };
    const other = [fault(0x8000_3000), asked("80003", "99"), changed("80003", 1, "0", "600000000099b77")];
    expect(await found([...FIRST, ...other], alias)).toContain("alias-coexistence 11");
    expect(await found([...FIRST, zap, ...other], alias)).not.toContain("alias-coexistence 12");
    const huge = [fault(0x8000_0000), asked("80000", "400", 2), changed("80000", 2, "0", "600000000400bf3")];
    expect(await found([...FIRST, ...huge], alias)).toContain("alias-coexistence 11");
  });

  test("owed-flush: what lost its rights is flushed, where flushes print lines at all", async () => {
    const flush = "hyperv_nested_flush_guest_mapping_range: address space 12 ret 0";
    expect(await found([...FIRST, flush, zap, entered])).toEqual(["owed-flush 10"]);
    expect(await found([...FIRST, zap, flush, entered])).toEqual([]);
    const { checks } = await verifyTrace({ text: trace(...FIRST) }, { model: false });
    expect(checks.find(({ id }) => id === "owed-flush")?.notChecked).toContain("no flush prints a line");
  });

  test("says which tracepoints it did not know or could not read, and quotes the lines of a finding", async () => {
    const text = trace("kvm_fpu: load", "kvm_entry: vcpu x", ...FIRST, zap, zap);
    const result = await verifyTrace({ text }, { model: false });
    expect(result.skipped).toEqual({ kvm_fpu: 1 });
    expect(result.malformed["kvm_entry"]).toMatchObject({ count: 1, firstLine: 2 });
    expect(result.findings[0]?.context.map(({ line }) => line)).toEqual([11, 12]);
    expect(result.findings[0]?.context[1]?.text).toContain("level 1 old_spte 600000000077b77 new_spte 0");
  });
});
