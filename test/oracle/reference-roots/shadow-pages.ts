/**
 * The shadow pages of one VM, all of them roots: nothing is mapped below one
 * until a guest runs. KVM: kvm_mmu_get_shadow_page(),
 * __kvm_mmu_prepare_zap_page(), kvm_zap_obsolete_pages() (v6.16).
 */
import { isDirect } from "./roles.js";
import type { Statistics } from "./statistics.js";

export interface ShadowPage {
  readonly gfn: bigint;
  readonly role: number;
  readonly generation: number;
  /** How many loaded or remembered roots it is. */
  roots: number;
  /** Zapped while it was a root. */
  isInvalid: boolean;
}

export class ShadowPages {
  /** Pages that take room, active roots that were zapped among them. */
  used = 0;
  /** Those that a look-up can find, the oldest first. */
  #active: ShadowPage[] = [];
  #generation = 0;

  constructor(
    readonly statistics: Statistics,
    /** KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, to every vCPU. */
    readonly requestFreeing: () => void,
  ) {}

  /** The page for this frame and role, made if there is none. One more root stands on it. */
  rootFor(gfn: bigint, role: number): ShadowPage {
    const page = this.#active.find((each) => each.gfn === gfn && each.role === role) ?? this.#make(gfn, role);
    page.roots += 1;
    return page;
  }

  isObsolete(page: ShadowPage): boolean {
    return page.isInvalid || page.generation !== this.#generation;
  }

  /** Roots that nobody stands on any more: pages stay unless they were zapped meanwhile. */
  release(pages: readonly ShadowPage[]): void {
    const last = pages.filter((page) => {
      page.roots -= 1;
      return page.roots === 0 && page.isInvalid;
    });
    this.#commit(last.map((page) => this.#prepare(page)));
  }

  /** Every page is of the past. */
  zapAll(): void {
    this.#generation = 1 - this.#generation;
    this.requestFreeing();
    this.#commit([...this.#active].map((page) => this.#prepare(page)));
  }

  /** Pages that shadow a table of the guest's in these frames. */
  zapTables(first: bigint, pages: bigint): void {
    const isIn = ({ gfn, role }: ShadowPage) => !isDirect(role) && gfn >= first && gfn < first + pages;
    this.#commit(this.#active.filter(isIn).map((page) => this.#prepare(page)));
  }

  /** The oldest that are no roots, up to `count`. */
  zapOldest(count: number): void {
    const gone = this.#active.filter(({ roots }) => roots === 0).slice(0, count);
    this.#commit(gone.map((page) => this.#prepare(page)));
    this.statistics.recycled += gone.length;
  }

  #make(gfn: bigint, role: number): ShadowPage {
    const page = { gfn, role, generation: this.#generation, roots: 0, isInvalid: false };
    this.#active.push(page);
    this.used += 1;
    this.statistics.miss += 1;
    return page;
  }

  /** True if its memory can be freed, for which all vCPUs have to be flushed once. */
  #prepare(page: ShadowPage): boolean {
    this.statistics.zapped += 1;
    this.#active = this.#active.filter((each) => each !== page);
    const isFree = page.roots === 0;
    if (isFree) this.used -= 1;
    else if (!this.isObsolete(page)) this.requestFreeing();
    page.isInvalid = true;
    return isFree;
  }

  #commit(areFree: readonly boolean[]): void {
    if (areFree.includes(true)) this.statistics.flush += 1;
  }
}
