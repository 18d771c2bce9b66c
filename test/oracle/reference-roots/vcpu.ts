/** One vCPU: registers, roots, and a request to look for roots that are of the past. */
import { has } from "../reference-walker/bits.js";
import { type Features, NO_CPUID, unusedAddressBits } from "../reference-walker/features.js";
import { NO_PDPTRS, type Pdptrs } from "../reference-walker/pdptrs.js";
import { AT_RESET, type Registers } from "../reference-walker/registers.js";
import { rootRole } from "./roles.js";
import { RootCache } from "./root-cache.js";
import type { ShadowPages } from "./shadow-pages.js";

export class Vcpu {
  registers: Registers = AT_RESET;
  features: Features = NO_CPUID;
  /** PAE's root entries, as they were when CR3 was loaded. */
  pdptrs: Pdptrs = NO_PDPTRS;
  readonly roots: RootCache;
  mustFreeObsolete = false;

  constructor(readonly pages: ShadowPages) {
    this.roots = new RootCache((gone) => pages.release(gone));
  }

  /** KVM_SET_SREGS that was accepted: what changes nothing keeps the roots. KVM: __set_sregs_common(). */
  setRegisters(asked: Registers, kept: Registers): void {
    const { cr0, cr3, cr4, efer } = this.registers;
    const isSame = cr0 === asked.cr0 && cr3 === asked.cr3 && cr4 === asked.cr4 && efer === asked.efer;
    this.registers = kept;
    if (!isSame) this.roots.dropAll();
  }

  /** The guest's own MOV to CR3; false: #GP. KVM: kvm_set_cr3(), kvm_mmu_new_pgd(). */
  loadCr3(cr3: bigint): boolean {
    if (has(cr3, unusedAddressBits(this.features, 63))) return false;
    const isSame = cr3 === this.registers.cr3;
    this.registers = { ...this.registers, cr3 };
    if (!isSame) this.roots.switchTo(cr3, rootRole(this.registers));
    return true;
  }

  /** KVM: kvm_mmu_after_set_cpuid(). */
  setCpuid(features: Features): void {
    this.features = features;
    this.roots.dropAll();
  }

  /** KVM: kvm_mmu_free_obsolete_roots(). */
  freeObsolete(): void {
    if (!this.mustFreeObsolete) return;
    this.mustFreeObsolete = false;
    this.roots.dropObsolete((page) => this.pages.isObsolete(page));
  }
}
