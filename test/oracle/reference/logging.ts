/**
 * How a VM keeps its dirty logs, by the capabilities enabled on it: read and
 * cleared at once or one after the other, all dirty from the start, or rings
 * in the place of bitmaps. KVM: kvm_vm_ioctl_enable_cap_generic(),
 * kvm_vm_ioctl_enable_dirty_log_ring() (v6.16).
 */
import { PAGE_BYTES } from "./frames.js";
import { Refusal } from "./types.js";

export const CAP_MANUAL_PROTECT = 168;
export const CAP_RING = 192;
export const CAP_RING_ACQ_REL = 223;

const MANUAL_ENABLE = 1;
const INITIALLY_SET = 2;
const ENTRY_BYTES = 16;
const MOST_ENTRIES = 65536;
/** Entries kept free for what one exit may bring. */
const RESERVED = 64;
/** Entries of a page-modification log. */
export const PML_ENTRIES = 512;

export class Logging {
  manual = false;
  initiallySet = false;
  /** Of each vCPU; undefined without rings. */
  ringEntries: number | undefined;

  constructor(readonly hasPml: boolean) {}

  get reserved(): number {
    return RESERVED + (this.hasPml ? PML_ENTRIES : 0);
  }

  /** KVM_ENABLE_CAP. */
  enable(cap: number, flags: number, argument: number, hasVcpus: boolean): void {
    if (cap === CAP_MANUAL_PROTECT) this.protectManually(flags, argument);
    else if (cap === CAP_RING || cap === CAP_RING_ACQ_REL) this.useRings(argument, hasVcpus);
    else throw refused();
  }

  /** What a slot that begins to be logged has: a bit for each page, or nothing. */
  newBitmap(pages: number): Set<number> | undefined {
    if (this.ringEntries !== undefined) return undefined;
    return new Set(this.initiallySet ? Array.from({ length: pages }, (_, page) => page) : []);
  }

  private protectManually(flags: number, options: number): void {
    const isKnown = options <= MANUAL_ENABLE || options === MANUAL_ENABLE + INITIALLY_SET;
    if (flags !== 0 || !isKnown) throw refused();
    this.manual = options >= MANUAL_ENABLE;
    this.initiallySet = options > MANUAL_ENABLE;
  }

  /** The flags are not looked at. */
  private useRings(bytes: number, hasVcpus: boolean): void {
    const isPower = bytes > 0 && Number.isInteger(Math.log2(bytes));
    if (!isPower || bytes < PAGE_BYTES || bytes < this.reserved * ENTRY_BYTES) throw refused();
    if (bytes > MOST_ENTRIES * ENTRY_BYTES) throw new Refusal("ERR_RING_TOO_LARGE", "E2BIG");
    if (this.ringEntries !== undefined || hasVcpus) throw refused();
    this.ringEntries = bytes / ENTRY_BYTES;
  }
}

const refused = (): Refusal => new Refusal("ERR_CAPABILITY", "EINVAL");
