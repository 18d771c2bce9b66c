/**
 * Host pages on their way out: while a window is open over a frame nobody maps
 * it, and who looked before a window closed looks again. KVM:
 * kvm_mmu_invalidate_begin(), _range_add(), _end(), mmu_invalidate_retry_gfn()
 * (v6.16).
 */
import type { Range } from "./frames.js";

export class Windows {
  /** Begun and not ended, whether or not a slot was met. */
  active = 0;
  inProgress = 0;
  /** Of all windows since the last time that none was open. */
  range: Range | undefined;
  sequence = 0;

  /** Several ranges where several slots are met. */
  begin(ranges: readonly Range[]): void {
    this.inProgress += 1;
    if (this.inProgress === 1) this.range = undefined;
    for (const { start, end } of ranges) {
      const old = this.range ?? { start, end };
      this.range = { start: Math.min(old.start, start), end: Math.max(old.end, end) };
    }
  }

  end(): void {
    this.sequence += 1;
    this.inProgress -= 1;
  }

  isOpenOver(frame: number): boolean {
    if (this.inProgress === 0 || this.range === undefined) return false;
    return frame >= this.range.start && frame < this.range.end;
  }
}
