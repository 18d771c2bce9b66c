/** The two kinds of tables that L1 may keep beneath those of its guest, as second levels of a walk. */
import { type Ept, walkEpt } from "./ept-walk.js";
import { AT_RESET, CR0_PG, CR4_PKE, type Registers } from "./registers.js";
import type { SecondLevel } from "./second-level.js";
import type { TableMemory } from "./table-memory.js";
import { type Vcpu, walk } from "./walk.js";

export const beneathEpt =
  (ept: Ept, memory: TableMemory): SecondLevel =>
  (gpa, access) =>
    walkEpt(ept, memory, gpa, access);

/** What judges L1's nested tables: paging, and whatever modes L1 itself runs in; keys are no part of it. */
export const nptRegisters = ({ cr4, efer, pkru }: Registers, nestedCr3: bigint): Registers => ({
  ...AT_RESET,
  cr0: CR0_PG,
  cr3: nestedCr3,
  cr4: cr4 & ~CR4_PKE,
  efer,
  pkru,
});

/**
 * Nested tables of AMD are of the format that L1's own registers ask for, with
 * its nested CR3 as root: a common walk that fails towards L1. KVM: kvm_init_shadow_npt_mmu() (v6.16).
 */
export const beneathNpt =
  (host: Vcpu, memory: TableMemory): SecondLevel =>
  (gpa, access) => {
    const outcome = walk(host, memory, gpa, access);
    if (!("fault" in outcome)) return outcome;
    return { fault: outcome.fault && { ...outcome.fault, nested: true } };
  };
