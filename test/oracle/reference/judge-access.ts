/** Rules about one access: what served it, and what else reaches the same. */
import type { Access } from "./access.js";
import { isLive, violate } from "./judge.js";
import { has } from "./rights.js";
import type { Leaf } from "./spte.js";
import type { State } from "./state.js";
import { type Answer, READ, WRITE } from "./types.js";

/** Served, by the tables or by a TLB entry, from that page. */
export function judgeServed(state: State, access: Access, pfn: number): void {
  const { policy, shape } = state;
  if (isForbidden(state, access, pfn)) violate(state, "permission-leak");
  const isBoth = () => shape.aliases.all().every((alias) => isLive(state, access.canonical, alias));
  if (shape.hasPrivate && policy.forbidsCoexisting && isBoth()) violate(state, "private-shared-coexist");
}

function isForbidden({ policy, shape, privateBase }: State, access: Access, pfn: number): boolean {
  const { executeOnly } = shape.preset;
  if (policy.knowsAliases && executeOnly && access.alias === 1)
    return has(access.bits, READ) || has(access.bits, WRITE);
  const tells = shape.hasPrivate && policy.privatePages === "own";
  return tells && pfn >= privateBase !== access.isPrivate;
}

/** KVM answered, and the access was made again. */
export function judgeAnswer(state: State, access: Access, { result }: Answer, leaf: Leaf | undefined): void {
  if (result === "stuck") violate(state, "alias-stuck");
  if ((result === "fixed" || result === "spurious") && isShared(state, access, leaf))
    violate(state, "alias-shared-leaf");
  if (result === "fixed") judgeInternal(state, access);
}

function isShared({ shape, mappings }: State, access: Access, leaf: Leaf | undefined): boolean {
  return shape.aliases.all().some((alias) => {
    const issued = shape.issue(access.canonical, alias);
    const { entry } = mappings.walk(shape.rootOf(issued), issued);
    return alias !== access.alias && entry.kind === "leaf" && entry.leaf === leaf;
  });
}

function judgeInternal(state: State, { canonical, alias }: Access): void {
  if (state.memslots.find(canonical)?.owner !== "kvm") return;
  const aliases = state.internalFixes.get(canonical) ?? new Set<number>();
  if ([...aliases].some((other) => other !== alias)) violate(state, "internal-slot-aliased");
  state.internalFixes.set(canonical, aliases.add(alias));
}
