/** What the host's own page tables say of guest memory: all of it readable and writable, but for what is set here. */
import { common } from "./attributes.js";
import type { Range } from "./frames.js";

export type HostState = "readwrite" | "readonly" | "none" | "poison" | "io";

interface Override {
  /** Host pages. */
  readonly range: Range;
  readonly state: HostState;
}

export class HostMemory {
  /** The last that holds a page decides. */
  private readonly overrides: Override[] = [];

  set(range: Range, state: HostState): void {
    this.overrides.push({ range, state });
  }

  stateOf(page: number): HostState {
    const here = { start: page, end: page + 1 };
    return this.overrides.findLast(({ range }) => common(range, here).length > 0)?.state ?? "readwrite";
  }
}
