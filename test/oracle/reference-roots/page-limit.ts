/**
 * How many shadow pages there may be. KVM: make_mmu_pages_available(),
 * kvm_mmu_change_mmu_pages(), kvm_arch_commit_memory_region() (v6.16).
 */
import type { ShadowPages } from "./shadow-pages.js";

const LEAST = 64;
const MEMORY_PER_PAGE = 50;
const LOW = 5;
const REFILL = 25;

export class PageLimit {
  /** None before there is a slot. */
  #most = 0;
  #isChosen = false;

  constructor(readonly pages: ShadowPages) {}

  /** A slot has come or gone. */
  memoryIs(slotPages: bigint): void {
    if (this.#isChosen) return;
    this.#change(Math.max(Number(slotPages / BigInt(MEMORY_PER_PAGE)), LEAST));
  }

  /** KVM_SET_NR_MMU_PAGES; false: EINVAL. */
  choose(most: number): boolean {
    if (most < LEAST) return false;
    this.#change(most);
    this.#isChosen = true;
    return true;
  }

  /** Before a root is made; false: ENOSPC. One free page is enough, though four may be taken. */
  makeRoom(): boolean {
    const free = this.#free();
    if (free < LOW) this.pages.zapOldest(REFILL - free);
    return this.#free() > 0;
  }

  #free(): number {
    return Math.max(this.#most - this.pages.used, 0);
  }

  /** Pages that cannot go stay within what is allowed. */
  #change(most: number): void {
    const { used } = this.pages;
    if (used > most) this.pages.zapOldest(used - most);
    this.#most = used > most ? this.pages.used : most;
  }
}
