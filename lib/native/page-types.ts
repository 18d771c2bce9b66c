/** What the addon tells of one page. Part of `addon-types.ts`, which is where to look first. */

export interface NativeEntry {
  readonly level: number;
  /** First gpa that it covers, as issued. */
  readonly gpa: number;
  readonly spte: bigint;
  /** The same number for the same table, within one answer. */
  readonly table: number;
  readonly state: "leaf" | "link" | "mmio" | "blocked" | "none";
  /** R 1, W 2, X 4. */
  readonly rights: number;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/** Hardware's way through one alias, root first; without entries where there is no root. */
export interface NativeWay {
  /** Of the page, as issued. */
  readonly gpa: number;
  /** 0 direct, 1 private. */
  readonly root: number;
  readonly entries: readonly NativeEntry[];
}

/** What the TLB of a vCPU has for a page: a leaf, or a link on the way to it. */
export interface NativeCached {
  readonly vcpu: number;
  /** As issued. */
  readonly gpa: number;
  /** Of the page; 0 for a link. */
  readonly pfn: number;
  /** Of the size that a leaf is held as, or a link's. */
  readonly level: number;
  readonly link: boolean;
  readonly root: number;
  readonly rights: number;
  /** False: it is of a root that was dropped, and nobody can use it any more. */
  readonly loadable: boolean;
  /** A flush that is over should have removed it. */
  readonly overdue: boolean;
}

export interface NativePage {
  /** By alias. */
  readonly ways: readonly NativeWay[];
  readonly cached: readonly NativeCached[];
}
