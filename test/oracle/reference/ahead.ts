/**
 * Pages mapped before anybody touches them: because userspace says so, or
 * because the host has read them in. KVM: kvm_pre_fault_memory(),
 * kvm_tdp_map_page(), kvm_arch_async_page_ready() (v6.16).
 */
import { type Access, aheadAt } from "./access.js";
import { floorTo, type Range, span } from "./frames.js";
import { hostPageOf } from "./host-page.js";
import { resolveFault } from "./page-fault.js";
import type { State } from "./state.js";
import { type Answer, type Effect, READ, type Result } from "./types.js";

export interface Prefaulted {
  readonly pages: number;
  readonly level: number;
  readonly changed: number;
  /** 0 or a name. */
  readonly errno: string | 0;
}

const DONE: readonly Result[] = ["fixed", "spurious", "writeProtected", "unzapped"];
const ERRNOS: Partial<Record<Result, string>> = { emulate: "ENOENT", retry: "EAGAIN" };

/** KVM_PRE_FAULT_MEMORY: what comes after one that failed is not tried. */
export function prefault(state: State, { start, end }: Range, vcpu: number): Prefaulted {
  let [at, level, changed] = [start, 0, 0];
  while (at < end) {
    const issued = issuedFor(state, at);
    const answer: Answer =
      issued === undefined
        ? { result: "error", level: 0, sptesChanged: 0 }
        : faultAhead(state, aheadAt(state, issued, 0, vcpu));
    changed += answer.sptesChanged;
    if (!DONE.includes(answer.result))
      return { pages: at - start, level, changed, errno: at > start ? 0 : errnoOf(answer) };
    level = Math.max(answer.level, 1);
    at = Math.min(floorTo(at, level) + span(level), end);
  }
  return { pages: at - start, level, changed, errno: 0 };
}

const errnoOf = ({ result }: Answer): string => ERRNOS[result] ?? "EFAULT";

/** Where a frame is looked at by its attribute, an address that names an alias is refused. */
function issuedFor({ shape, policy, attributes }: State, frame: number): number | undefined {
  if (!shape.hasPrivate || policy.onConversion !== "zap-flush-all") return frame;
  if (shape.aliases.aliasOf(frame) !== 0) return undefined;
  return attributes.isPrivate(frame) ? frame : shape.issue(frame, 1);
}

function faultAhead(state: State, access: Access): Answer {
  const { entry } = state.mappings.walk(access.root, access.issued);
  return resolveFault(state, access, entry);
}

export function prefaultEvent(state: State, range: Range, vcpu: number): Effect {
  const { level, changed, errno } = prefault(state, range, vcpu);
  return errno === 0 ? { level, changed } : { level, changed, result: "error" };
}

/** Everything that the vCPU waits for has come. */
export function asyncReady(state: State, vcpu: number): Effect {
  let changed = 0;
  for (const issued of state.asyncPages.take(vcpu)) {
    const access = aheadAt(state, issued, READ, vcpu);
    const slot = state.memslots.find(access.frame);
    const page = slot === undefined ? undefined : hostPageOf(slot, access.frame);
    if (page !== undefined && state.hostMemory.stateOf(page) === "io") state.hostMemory.makeResident(page);
    const answer = faultAhead(state, access);
    if (answer.result === "fixed") state.counters.pf_fixed += 1;
    changed += answer.sptesChanged;
  }
  return { changed };
}
