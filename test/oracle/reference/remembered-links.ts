/**
 * Links that a vCPU remembers of its walks (Intel SDM vol. 3, 28.4): the next
 * walk of a neighbour begins behind the lowest of them. A fault drops those of
 * its address. One that leads to a table which is not there any more is noted
 * and dropped: what it would lead to is nobody's guess.
 */

import type { Access } from "./access.js";
import { floorTo, meets, type Range, rangeAt } from "./frames.js";
import { violate } from "./judge.js";
import type { Table } from "./mappings.js";
import type { RootName } from "./shape.js";
import type { State } from "./state.js";

export interface RememberedLink {
  readonly root: RootName;
  readonly life: number;
  /** Of the table that the link stands in. */
  readonly level: number;
  readonly first: number;
  readonly to: Table;
  overdue: boolean;
}

/** One vCPU's, by level, the least recently used first. */
export class RememberedLinks {
  private links: RememberedLink[] = [];

  constructor(private readonly most: ReadonlyMap<number, number>) {}

  find(root: RootName, life: number, level: number, issued: number): RememberedLink | undefined {
    const first = floorTo(issued, level);
    return this.links.find(
      (link) => link.root === root && link.life === life && link.level === level && link.first === first,
    );
  }

  remember(link: RememberedLink): void {
    const most = this.most.get(link.level) ?? 0;
    if (most === 0) return;
    const same = this.find(link.root, link.life, link.level, link.first);
    if (same !== undefined) this.forget(same);
    const [oldest, ...others] = this.links.filter(({ level }) => level === link.level);
    if (oldest !== undefined && others.length + 1 === most) this.forget(oldest);
    this.links.push(link);
  }

  forget(link: RememberedLink): void {
    this.links = this.links.filter((each) => each !== link);
  }

  flush(): void {
    this.links = [];
  }

  flushRange(range: Range): void {
    this.links = this.links.filter(({ first, level }) => !meets(rangeAt(first, level), range));
  }

  all(): readonly RememberedLink[] {
    return this.links;
  }
}

/** Tables that a walk has no need to read. */
export function tablesSpared(state: State, { root, issued, vcpu }: Access): number {
  const links = state.links[vcpu];
  const { rootLevel } = state.config;
  for (let level = 2; level <= rootLevel && links !== undefined; level++) {
    const link = links.find(root, state.lives[root], level, issued);
    if (link === undefined) continue;
    if (link.overdue) violate(state, "stale-translation");
    link.overdue = false;
    if (isThere(state, link)) {
      links.remember(link);
      return rootLevel - level + 1;
    }
    links.forget(link);
  }
  return 0;
}

export function isThere({ mappings }: State, { root, level, first, to }: RememberedLink): boolean {
  return mappings.linked(root, level, first) === to;
}

/** The walk found its way, past so many tables that it did not read. */
export function rememberWay(state: State, { root, issued, vcpu }: Access, spared: number): void {
  const links = state.links[vcpu];
  for (let level = state.config.rootLevel - spared; level > 1 && links !== undefined; level--) {
    const to = state.mappings.linked(root, level, issued);
    if (to === undefined) return;
    links.remember({
      root,
      life: state.lives[root],
      level,
      first: floorTo(issued, level),
      to,
      overdue: false,
    });
  }
}

export function forgetWay(state: State, { root, issued, vcpu }: Access): void {
  const links = state.links[vcpu];
  for (const level of [2, 3, 4, 5]) {
    const link = links?.find(root, state.lives[root], level, issued);
    if (link !== undefined) links?.forget(link);
  }
}
