/**
 * A period of the worker that undoes what the iTLB workaround split: the
 * tables that have waited longest go, and the next access maps a huge page.
 * KVM: kvm_recover_nx_huge_pages() (v6.16).
 */
import { flushAll, take } from "./flush.js";
import { zapShadowPage } from "./page-limits.js";
import type { Paging } from "./paging.js";
import type { RmapMappings } from "./rmap-mappings.js";
import type { State } from "./state.js";

const RATIO = 60;

export function recoverNx(state: State): number {
  const { rmap, tdp } = state;
  const tree = tdp?.tree("direct");
  const waiting = waitingFor(state);
  const changes = Array.from({ length: Math.ceil(waiting / RATIO) }, () =>
    rmap === undefined ? recoverTable(state, tree as Paging) : recoverPage(state, rmap),
  );
  const changed = changes.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  if (changes.some((each) => each !== undefined)) flushAll(state);
  return changed;
}

/** Tables on the list. */
export const waitingFor = ({ rmap, tdp }: Pick<State, "rmap" | "tdp">): number =>
  (rmap === undefined ? tdp?.tree("direct").recoverable : rmap.shadow.recoverable)?.length ?? 0;

/** In a slot whose pages are logged it would only be made again. */
const isLogged = ({ memslots, shape }: State, frame: number): boolean =>
  memslots.find(shape.slotFrame(frame))?.logged === true;

/** Undefined if nothing went. */
function recoverTable(state: State, tree: Paging): number | undefined {
  const frame = tree.oldestRecoverable();
  if (frame === undefined) return undefined;
  if (isLogged(state, frame)) {
    tree.forgetOldest();
    return undefined;
  }
  for (const leaf of tree.zapOldest()) take(state, leaf.gfn, leaf.level);
  return 1;
}

function recoverPage(state: State, rmap: RmapMappings): number | undefined {
  const [page] = rmap.shadow.recoverable;
  if (page === undefined) return undefined;
  if (isLogged(state, page.frame)) {
    rmap.shadow.unmarkNx(page);
    return undefined;
  }
  return zapShadowPage(state, rmap, page);
}
