/**
 * The root that a vCPU has loaded, and those that it had before and may come
 * back to. KVM: fast_pgd_switch(), cached_root_find_and_keep_current(),
 * cached_root_find_without_current() (v6.16).
 */
import type { ShadowPage } from "./shadow-pages.js";

/**
 * One page; PAE's four, which no cache keeps; or none at all, for a CR3 that
 * points where no slot is.
 */
export type Root =
  | { readonly kind: "page"; readonly page: ShadowPage; readonly pgd: bigint }
  | { readonly kind: "pae"; readonly pages: readonly ShadowPage[] }
  | { readonly kind: "dummy" };

const PREVIOUS = 3;

const pagesOf = (root: Root): readonly ShadowPage[] => {
  if (root.kind === "dummy") return [];
  return root.kind === "pae" ? root.pages : [root.page];
};

export class RootCache {
  current: Root | undefined;
  /** The latest first. */
  #previous: Root[] = [];

  /** `release` is told the pages of every root that goes. */
  constructor(readonly release: (pages: readonly ShadowPage[]) => void) {}

  /** Another CR3 or role. True if its root is here and current now. */
  switchTo(pgd: bigint, role: number): boolean {
    if (this.current !== undefined && this.current.kind !== "page") this.drop([this.current]);
    const isIt = (root: Root): boolean =>
      root.kind === "page" && !root.page.isInvalid && root.page.role === role && root.pgd === pgd;
    const all = [this.current, ...this.#previous].filter((root) => root !== undefined);
    const found = all.find(isIt);
    const others = all.filter((root) => root !== found);
    this.current = found;
    this.#previous = others.slice(0, PREVIOUS);
    this.#letGo(others.slice(PREVIOUS));
    return found !== undefined;
  }

  /** Roots whose page is of the past, and those that have no page of their own to ask. */
  dropObsolete(isObsolete: (page: ShadowPage) => boolean): void {
    this.drop(this.#all().filter((root) => root.kind !== "page" || isObsolete(root.page)));
  }

  dropAll(): void {
    this.drop(this.#all());
  }

  drop(roots: readonly Root[]): void {
    this.#previous = this.#previous.filter((root) => !roots.includes(root));
    if (this.current !== undefined && roots.includes(this.current)) this.current = undefined;
    this.#letGo(roots);
  }

  #all(): Root[] {
    return [...this.#previous, ...(this.current === undefined ? [] : [this.current])];
  }

  #letGo(roots: readonly Root[]): void {
    if (roots.length > 0) this.release(roots.flatMap(pagesOf));
  }
}
