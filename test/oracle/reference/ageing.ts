/**
 * Which pages were used since somebody last asked. KVM: kvm_age_gfn(),
 * kvm_test_age_gfn() (v6.16); never a flush.
 */
import type { Range } from "./frames.js";
import { spotsOnHost } from "./host-ranges.js";
import { makeOld } from "./spte.js";
import type { State } from "./state.js";
import type { Effect } from "./types.js";

/** Level 1 if any page was young. Private memory with pages of its own has no host address. */
export function age(state: State, hva: Range, isTestOnly: boolean): Effect {
  const hasHva = (root: string): boolean => root === "direct" || state.policy.privatePages === "slot";
  const young = spotsOnHost(state, hva).flatMap(({ root, leaf }) =>
    leaf?.accessed === true && hasHva(root) ? [leaf] : [],
  );
  if (!isTestOnly) for (const leaf of young) makeOld(leaf);
  return { changed: isTestOnly ? 0 : young.length, level: young.length > 0 ? 1 : 0 };
}
