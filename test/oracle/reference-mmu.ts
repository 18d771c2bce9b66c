/**
 * The whole MMU a second time: slow, obvious, and without a line in common
 * with the engine. Both flavours, every strategy. It is written from how KVM
 * v6.16 and the posted series behave, so where the two differ, one of them is
 * wrong about KVM.
 */
import { tryAccess } from "./reference/access.js";
import { type ClearRequest, clearLog, loggedSlot, type TakenLog, takeLogs } from "./reference/dirty-log.js";
import type { RingEntry } from "./reference/dirty-ring.js";
import { operate, refuseEvent } from "./reference/events.js";
import { frameOf } from "./reference/frames.js";
import { guestRead, guestWrite } from "./reference/guest-access.js";
import type { HostMapping } from "./reference/host-memory.js";
import { CAP_RING } from "./reference/logging.js";
import { Observed } from "./reference/observed.js";
import { setMmuPages } from "./reference/page-limits.js";
import { createGuestMemfd, createVcpu, enableCap } from "./reference/requests.js";
import { collectRing, leaveIfFull, resetRings } from "./reference/rings.js";
import { setMemslot } from "./reference/slot-changes.js";
import { newState } from "./reference/state.js";
import {
  type Effect,
  type EventKind,
  INSERTED,
  type ReferenceConfig,
  type ReferenceEvent,
  type ReferenceOutcome,
  Refusal,
  type Region,
} from "./reference/types.js";
import { convert } from "./reference/zap.js";

/** A conversion that a projection put into the stream has no number of its own. */
const isInserted = ({ kind, access }: ReferenceEvent): boolean => kind === "attributes" && access >= INSERTED;

/** What a vCPU's thread does: KVM_RUN, and an ioctl of the vCPU's own. */
const OF_VCPUS: readonly EventKind[] = ["access", "prefault", "async-ready"];

export class ReferenceMmu extends Observed {
  constructor(config: ReferenceConfig) {
    super(newState(config));
    const { dirtyRing, vcpus } = this.state.config;
    if (dirtyRing > 0) this.enableCap(CAP_RING, 0, dirtyRing);
    for (let id = 0; id < vcpus; id++) this.createVcpu(id);
  }

  /** Throws a `Refusal` for an event that this VM has no use for. */
  apply(event: ReferenceEvent): ReferenceOutcome {
    refuseEvent(this.state, event);
    this.begin(OF_VCPUS.includes(event.kind));
    const outcome = event.kind === "access" ? this.access(event) : this.done(operate(this.state, event));
    if (!isInserted(event)) this.state.now.number += 1;
    return outcome;
  }

  /** KVM_SET_USER_MEMORY_REGION. Throws a `Refusal`. */
  setMemslot(region: Region): ReferenceOutcome {
    this.begin(false);
    return this.done({ changed: setMemslot(this.state, region) });
  }

  /**
   * KVM_GET_DIRTY_LOG, of a twin too. A copy to userspace that fails comes after all else. Throws a `Refusal`.
   */
  takeDirtyLog(slotArgument: number, { copyFails = false } = {}): TakenLog {
    const slot = loggedSlot(this.state, slotArgument);
    this.begin(false);
    const log = takeLogs(this.state, slot);
    if (copyFails) throw new Refusal("ERR_COPY", "EFAULT");
    return log;
  }

  /** KVM_CLEAR_DIRTY_LOG. Throws a `Refusal`. */
  clearDirtyLog(slotArgument: number, request: ClearRequest): ReferenceOutcome {
    this.begin(false);
    return this.done({ changed: clearLog(this.state, slotArgument, request) });
  }

  /** What the host's page tables say of these pages from now on; undefined: what they said at first. */
  setHostMapping(hva: number, bytes: number, mapping: HostMapping | undefined): void {
    if (mapping?.level === 3 && this.state.shape.aliases.splits1G) throw new Refusal("ERR_HOST_MAPPING", "");
    const range = { start: frameOf(hva), end: frameOf(hva + bytes) };
    if (mapping === undefined) this.state.hostMemory.forget(range);
    else this.state.hostMemory.set(range, mapping);
  }

  /** KVM_SET_NR_MMU_PAGES. Throws a `Refusal`. */
  setMmuPages(pages: number): ReferenceOutcome {
    this.begin(false);
    return this.done({ changed: setMmuPages(this.state, pages) });
  }

  /** Bytes that KVM wrote, before the first page that it could not. */
  guestWrite(gpa: number, bytes: number, vcpu = 0): number {
    this.begin(false);
    return guestWrite(this.state, gpa, bytes, vcpu);
  }

  /** Bytes that KVM read, before the first page that it could not. */
  guestRead(gpa: number, bytes: number): number {
    this.begin(false);
    return guestRead(this.state, gpa, bytes);
  }

  collectRing(vcpu: number, most = 0): RingEntry[] {
    return collectRing(this.state, vcpu, most);
  }

  /** KVM_RESET_DIRTY_RINGS. Throws a `Refusal`. */
  resetRings(): ReferenceOutcome & { readonly entries: number } {
    this.begin(false);
    const { entries, sptesChanged } = resetRings(this.state);
    return { entries, ...this.done({ changed: sptesChanged }) };
  }

  /** KVM_ENABLE_CAP. Throws a `Refusal`. */
  enableCap(cap: number, flags: number, argument: number): void {
    enableCap(this.state, cap, flags, argument);
  }

  createVcpu(id: number): void {
    createVcpu(this.state, id);
  }

  /** KVM_CREATE_GUEST_MEMFD. Throws a `Refusal`. */
  createGuestMemfd(bytes: number, flags: number): number {
    return createGuestMemfd(this.state, bytes, flags);
  }

  private begin(isOfVcpu: boolean): void {
    const { now } = this.state;
    Object.assign(now, { isOfVcpu, scope: "none", pages: 0 });
    now.taken.clear();
    now.sharers.clear();
  }

  private done({ changed, level = 0, result = "done" }: Effect): ReferenceOutcome {
    return { result, level, tablesRead: 0, sptesChanged: changed, ...this.flushed() };
  }

  private flushed(): Pick<ReferenceOutcome, "flush" | "flushedPages"> {
    const { scope, pages } = this.state.now;
    // The column has 32 bits.
    return { flush: scope, flushedPages: Math.min(pages, 2 ** 32 - 1) };
  }

  private access(event: ReferenceEvent): ReferenceOutcome {
    const rearmed = leaveIfFull(this.state, event.vcpu);
    const tried = tryAccess(this.state, event);
    const first = { ...tried, sptesChanged: rearmed + tried.sptesChanged };
    if (first.result !== "memoryFault" || !this.state.config.convertOnExit)
      return { ...first, ...this.flushed() };
    const { sptesChanged, ...second } = this.convertAndRetry(event);
    const total = first.sptesChanged + sptesChanged;
    return { ...second, tablesRead: first.tablesRead, sptesChanged: total, ...this.flushed() };
  }

  /** What a VMM does on KVM_EXIT_MEMORY_FAULT: it gives the guest what it asked for. */
  private convertAndRetry(event: ReferenceEvent) {
    const { shape } = this.state;
    const issued = shape.issuedFrame(event.gpa);
    const start = shape.aliases.canonical(issued);
    this.state.conversions += 1;
    const converted = convert(this.state, { start, end: start + 1 }, shape.isPrivate(issued));
    const second = tryAccess(this.state, event);
    return { ...second, sptesChanged: converted + second.sptesChanged };
  }
}
