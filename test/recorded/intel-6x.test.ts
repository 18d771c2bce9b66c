// A recording of a small VM on an Intel host, beside the model.
//
// The recording is not ours and not here: it is looked for beside the checkout,
// or where GPALIAS_EXCERPTS says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createVm, type Vm } from "../../lib/index.js";
import { hasAddon } from "../unit/with-addon.js";
import { inWords } from "./entries.js";
import { linesOf } from "./lines.js";
import { type Compared, compare } from "./side-by-side.js";
import { type Step, storyOf } from "./story.js";

const BESIDE = fileURLToPath(new URL("../../../shared/traces/excerpts/", import.meta.url));
const PATH = join(process.env["GPALIAS_EXCERPTS"] ?? BESIDE, "01-tracefs-trace-kvm-kvmmmu-intel-6x.txt");
const isHere = existsSync(PATH);
if (!isHere) console.warn(`SKIPPED: the side-by-side test of a recorded VM: there is no ${PATH}`);

// The host: A/D bits and PML, mitigations of iTLB multihit and L1TF, 46 bits.
function aHost(): Vm {
  const vm = createVm({
    addressBits: 46,
    hostMaxphyaddr: 46,
    host: { pml: true, nxHugePages: true, l1tf: true },
  });
  vm.setTrace("6.1");
  return vm;
}

const steps: Step[] = isHere ? storyOf(linesOf(readFileSync(PATH, "utf8"))) : [];

function compared(changed: (steps: Step[]) => readonly Step[] = (all) => all): Compared[] {
  using vm = aHost();
  return compare(vm, changed(steps));
}

describe.skipIf(!isHere || !hasAddon)("the recorded VM", () => {
  test("is understood: faults, unmaps, a slot that goes, two logs", () => {
    const deeds = steps.map(({ deed }) => deed.what);
    expect(deeds).toEqual([
      "unmap",
      "fault",
      "fault",
      "unmap",
      "fault",
      "slot goes",
      "fault",
      "fault",
      "log on",
      "fault",
      "unmap",
      "fault",
      "log on",
    ]);
  });

  test("is a VM whose every change the model makes too, in the same order", () => {
    const all = compared();
    expect(all.filter(({ differs }) => differs !== undefined)).toEqual([]);
    expect(all.reduce((sum, { agreed }) => sum + agreed, 0)).toBeGreaterThan(55);
  });

  test("was cut in four places, and what we print there is counted", () => {
    const setAside = compared().flatMap((step) => step.setAside);
    expect(setAside).toHaveLength(4);
    expect(setAside.slice(0, 3)).toEqual([
      "502 lines: omitted gfn 9..1fe level 1",
      "508 lines: omitted gfn 600..3fc00 level 2",
      "509 lines: omitted gfn 80000..7f80000 level 3",
    ]);
    expect(setAside[3]).toMatch(/^508 lines: the source file goes on/);
  });
});

describe.skipIf(!hasAddon)("the comparison", () => {
  const FAULT = [
    "x-1 [000] ..... 1.0: kvm_page_fault: vcpu 0 rip 0x0 address 0x0000000000003000 error_code 0x782",
    "x-1 [000] ..... 1.0: kvm_mmu_spte_requested: gfn 3 pfn 77 level 1",
    "x-1 [000] ..... 1.0: kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 4 old_spte 0 new_spte 1000907",
    "x-1 [000] ..... 1.0: kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 3 old_spte 0 new_spte 1001907",
    "x-1 [000] ..... 1.0: kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 2 old_spte 0 new_spte 1002907",
    "x-1 [000] ..... 1.0: kvm_tdp_mmu_spte_changed: as id 0 gfn 3 level 1 old_spte 0 new_spte 600000000077b77",
    "x-1 [000] ..... 1.0: kvm_mmu_set_spte: gfn 3 spte 600000000077b77 (rwxu) level 1 at 1002018",
  ];
  const differences = (lines: readonly string[]) => {
    using vm = aHost();
    return compare(vm, storyOf(linesOf(lines.join("\n")))).map(({ differs }) => differs);
  };

  test("finds a fault that the model answers alike", () => {
    expect(differences(FAULT)).toEqual([undefined]);
  });

  test("finds a bit, a line too few, a line too many, and another order", () => {
    const clean = FAULT.map((line) => line.replaceAll("77b77", "77977"));
    expect(differences(clean)[0]?.recorded).toContain("leaf R W X A host-writable");
    expect(differences(FAULT.slice(0, -1))[0]).toEqual({
      recorded: undefined,
      ours: "set gfn 3 level 1 rwxu: leaf R W X A D host-writable mmu-writable",
    });
    expect(differences([...FAULT, FAULT.at(-1) as string])[0]?.ours).toBeUndefined();
    const [first, second, a, b, ...rest] = FAULT as [string, string, string, string, ...string[]];
    expect(differences([first, second, b, a, ...rest])[0]?.recorded).toContain("level 3");
  });

  test("reads entries as their bits say", () => {
    expect(inWords(0x5a0n, 1)).toBe("frozen");
    expect(inWords(0x3e000000a056n, 1)).toBe("mmio 3e000000a056");
    expect(inWords(0x60000198b200bf3n, 2)).toBe("leaf R W A D host-writable mmu-writable");
    expect(inWords(0x4567907n, 2)).toBe("table R W X A");
  });
});
