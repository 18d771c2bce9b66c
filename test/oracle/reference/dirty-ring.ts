/**
 * One vCPU's dirty ring: pages in the order in which they became dirty, until
 * userspace has collected them and KVM has taken them back. KVM:
 * virt/kvm/dirty_ring.c (v6.16).
 */

export interface RingEntry {
  /** The slot's number, with its address space. */
  readonly slot: number;
  /** Page of the slot, counted from its start. */
  readonly page: number;
}

/** Pages of one slot near each other, that are protected again in one go. */
export interface Window {
  readonly slot: number;
  readonly pages: readonly number[];
}

const WINDOW_PAGES = 64;

export class DirtyRing {
  private entries: RingEntry[] = [];
  private collected = 0;

  constructor(
    private readonly size: number,
    private readonly reserved: number,
  ) {}

  /** A guest runs on only while there is room for what one exit may bring. */
  get isFull(): boolean {
    return this.entries.length >= this.size - this.reserved;
  }

  /** In a ring without any room the page is lost. */
  push(entry: RingEntry): void {
    if (this.entries.length < this.size) this.entries.push(entry);
  }

  /** Userspace reads on from where it stopped; `most` 0 means all. */
  collect(most = 0): RingEntry[] {
    const end = most === 0 ? this.entries.length : Math.min(this.collected + most, this.entries.length);
    const read = this.entries.slice(this.collected, end);
    this.collected = end;
    return read;
  }

  /** Takes back what was collected. */
  takeBack(): RingEntry[] {
    const taken = this.entries.slice(0, this.collected);
    this.entries = this.entries.slice(this.collected);
    this.collected = 0;
    return taken;
  }
}

/** Entries that follow each other, of one slot, as long as 64 pages hold them all. */
export function windowsOf(entries: readonly RingEntry[]): Window[] {
  const windows: { slot: number; pages: number[] }[] = [];
  for (const { slot, page } of entries) {
    const last = windows.at(-1);
    if (last?.slot === slot && fits(last.pages, page)) last.pages.push(page);
    else windows.push({ slot, pages: [page] });
  }
  return windows;
}

function fits(pages: readonly number[], page: number): boolean {
  const all = [...pages, page];
  return Math.max(...all) - Math.min(...all) < WINDOW_PAGES;
}
