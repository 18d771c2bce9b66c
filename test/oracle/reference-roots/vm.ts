/**
 * A VM whose KVM pages by shadow tables alone: what loads, drops and recycles
 * roots. KVM: kvm_mmu_reload(), mmu_alloc_direct_roots(),
 * mmu_alloc_shadow_roots(), kvm_arch_flush_shadow_memslot() (v6.16).
 */
import { isPresent } from "../reference-walker/entries.js";
import { modeOf } from "../reference-walker/modes.js";
import { PageLimit } from "./page-limit.js";
import { atLevel, cpuRole, inQuadrant, isDirect, levelOf, rootFrame, rootRole } from "./roles.js";
import type { Root } from "./root-cache.js";
import { type ShadowPage, ShadowPages } from "./shadow-pages.js";
import { type Slot, Slots } from "./slots.js";
import { noStatistics } from "./statistics.js";
import { Vcpu } from "./vcpu.js";

/** PAE's tables: four root entries, each of a page at level 2 that covers 1 GiB. */
const PAE_ROOTS = [0, 1, 2, 3] as const;
const GIGABYTE_FRAMES = 1n << 18n;
const PAE_PAGE_LEVEL = 2;
const LONG_MODE_LEVEL = 4;

export class ShadowVm {
  readonly statistics = noStatistics();
  readonly vcpus: Vcpu[] = [];
  readonly slots = new Slots();
  readonly pages = new ShadowPages(this.statistics, () => {
    for (const vcpu of this.vcpus) vcpu.mustFreeObsolete = true;
  });
  readonly limit = new PageLimit(this.pages);
  /** KVM_X86_QUIRK_SLOT_ZAP_ALL. */
  zapsAllAtSlotEnd = true;

  createVcpu(): void {
    this.vcpus.push(new Vcpu(this.pages));
  }

  setSlot(id: number, slot: Slot): void {
    const change = this.slots.changeTo(id, slot);
    if (change === "delete" || change === "move") this.#endSlot(this.slots.get(id) as Slot);
    // Whatever may be mapped writable is not to be any more.
    if (change === "flags" && slot.logsDirty && !slot.isReadOnly) this.statistics.flush += 1;
    this.slots.set(id, slot);
    if (change === "create" || change === "delete") this.limit.memoryIs(this.slots.pages);
  }

  /** Before a vCPU can do anything it has a root; false: ENOSPC. */
  load(vcpu: Vcpu): boolean {
    vcpu.freeObsolete();
    if (vcpu.roots.current !== undefined) return true;
    vcpu.roots.current = isDirect(rootRole(vcpu.registers)) ? this.#directRoot(vcpu) : this.#shadowRoot(vcpu);
    return vcpu.roots.current !== undefined;
  }

  #endSlot({ base, pages }: Slot): void {
    if (this.zapsAllAtSlotEnd) this.pages.zapAll();
    else this.pages.zapTables(base, pages);
  }

  /** Paging is off: four pages that map what is below 4 GiB one to one. */
  #directRoot({ registers }: Vcpu): Root | undefined {
    if (!this.limit.makeRoom()) return undefined;
    const role = atLevel(rootRole(registers), PAE_PAGE_LEVEL);
    const pages = PAE_ROOTS.map((i) => this.pages.rootFor(BigInt(i) * GIGABYTE_FRAMES, role));
    return { kind: "pae", pages };
  }

  #shadowRoot(vcpu: Vcpu): Root | undefined {
    const { registers } = vcpu;
    const gfn = rootFrame(registers.cr3);
    if (!this.slots.isVisible(gfn)) return { kind: "dummy" };
    if (!this.limit.makeRoom()) return undefined;
    const role = rootRole(registers);
    const level = levelOf(cpuRole(registers));
    if (level >= LONG_MODE_LEVEL)
      return { kind: "page", page: this.pages.rootFor(gfn, role), pgd: registers.cr3 };
    return { kind: "pae", pages: this.#paePages(vcpu, atLevel(role, PAE_PAGE_LEVEL)) };
  }

  /** A table of 32-bit paging covers 4 GiB, a quarter a page; with PAE each root entry has its own table. */
  #paePages({ registers, pdptrs }: Vcpu, role: number): ShadowPage[] {
    if (modeOf(registers) === "32-bit") {
      const gfn = rootFrame(registers.cr3);
      return PAE_ROOTS.map((i) => this.pages.rootFor(gfn, inQuadrant(role, i)));
    }
    const tables = pdptrs.filter((entry) => isPresent(entry)).map(rootFrame);
    return tables.filter((gfn) => this.slots.isVisible(gfn)).map((gfn) => this.pages.rootFor(gfn, role));
  }
}
