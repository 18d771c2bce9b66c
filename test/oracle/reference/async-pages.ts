/**
 * Pages that the host has to read in while the guest does something else: for
 * each vCPU what it waits for, in order. KVM: kvm_arch_setup_async_pf(),
 * kvm_arch_async_page_ready() (v6.16).
 */

/** Slots of the table that a vCPU notes its frames in. */
const MOST = 64;

export class AsyncPages {
  /** By vCPU: the frame as memslots hold it, and the frame as issued that waited first. */
  private readonly waiting = new Map<number, Map<number, number>>();

  has(vcpu: number, frame: number): boolean {
    return this.waiting.get(vcpu)?.has(frame) === true;
  }

  /** False if the table is full. */
  add(vcpu: number, frame: number, issued: number): boolean {
    const frames = this.waiting.get(vcpu) ?? new Map<number, number>();
    if (frames.size === MOST) return false;
    this.waiting.set(vcpu, frames.set(frame, issued));
    return true;
  }

  /** What the vCPU waited for, as issued, oldest first; it waits no more. */
  take(vcpu: number): number[] {
    const frames = [...(this.waiting.get(vcpu)?.values() ?? [])];
    this.waiting.delete(vcpu);
    return frames;
  }
}
