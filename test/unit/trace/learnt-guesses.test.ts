import { describe, expect, test } from "vitest";
import { learntGuesses, openTrace } from "../../../lib/index.js";
import { NO_TOTALS } from "../../../lib/trace/trace-format.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, rowsOf } from "./records.js";

const line = (event: string) => `x-9 [000] ..... 1.000001: ${event}\n`;
const FAULT = line("kvm_page_fault: vcpu 0 rip 0x1 address 0x2000 error_code 0x182");

describe("what only reading a trace shows", () => {
  const file = aFolder();

  test("nothing is concluded from nothing, and not what was said", () => {
    expect(learntGuesses(NO_TOTALS)).toEqual([]);
    const vendor = { name: "amd", confidence: 1, why: "it was said" };
    expect(learntGuesses({ ...NO_TOTALS, vendor })).toEqual([]);
  });

  test.skipIf(!hasAddon)(
    "is the vendor, the levels that changed, and the pages that were mapped",
    async () => {
      const text =
        FAULT +
        line("kvm_mmu_spte_requested: gfn 2 pfn 77 level 1") +
        line("kvm_mmu_spte_requested: gfn 200 pfn 200 level 2") +
        line("kvm_mmu_spte_requested: gfn a pfn 8000000000000000 level 1") +
        line("kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 4 old_spte 0 new_spte 1000907") +
        line("kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 99 old_spte 0 new_spte 1");
      const trace = await openTrace(file("learnt.txt", text));
      await rowsOf(trace.batches());
      expect(learntGuesses(trace.totals).map(({ what, value }) => [what, value])).toEqual([
        ["vendor", "intel"],
        ["levels", 4],
        ["page sizes", "1 4K, 1 2M"],
      ]);
    },
  );

  test.skipIf(!hasAddon)(
    "a vendor that does not exist is refused, and one that does is believed",
    async () => {
      const path = file("vendor.txt", FAULT.replace("0x182", "0x6"));
      await expect(openTrace(path, { vendor: "arm" as "amd" })).rejects.toThrow(/vendor must be/);
      const trace = await openTrace(path, { vendor: "intel" });
      await expect(rowsOf(trace.batches())).rejects.toThrow(/Intel EPT violation/);
    },
  );
});
