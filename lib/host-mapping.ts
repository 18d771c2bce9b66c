/**
 * The host's side of a VM: what can be said of the memory behind a slot, and
 * what comes of what the host does.
 *
 * Only shapes are checked here; whether a mapping can be had is the engine's
 * to say.
 */
import { parseHva, parseSize } from "./address.js";
import { attempt } from "./errors.js";
import { expectInteger, expectKeys, expectOneOf, wrongType } from "./expect.js";
import type { NativeVm } from "./native/addon-types.js";
import type { NativeInvalidation, NativePrefault } from "./native/host-types.js";

/** Bytes that were mapped ahead, and `""` or why there are none: the errno of the ioctl. */
export type Prefault = NativePrefault;

/** Invalidations that are open, the slot frames [start, end) that they or the last ones are about, and how many are over. */
export type Invalidation = NativeInvalidation;

const STATES = ["readwrite", "readonly", "none", "poison", "io"] as const;

/**
 * What a page of host memory is to KVM: mapped; mapped without the right to write; not mapped, so that a fault ends with
 * EFAULT; broken (hwpoison); or not in memory just now, so that a fault waits for it.
 */
export type HostState = (typeof STATES)[number];

/** What the host's own page tables say of a range from now on. */
export interface HostMapping {
  /** @default "readwrite" */
  readonly state?: HostState;
  /**
   * Host frame of the first page, the others follow: below 2^(hostMaxphyaddr - 12), and half of that where private
   * memory has frames of its own. A multiple of `level`'s pages. @default the frames that the slot has anyway
   */
  readonly pfn?: number;
  /**
   * Largest page that the host maps it with: 1 for 4K, 2 for 2M, 3 for 1G. A huge leaf needs all of its pages in one
   * such mapping. @default 1
   */
  readonly level?: 1 | 2 | 3;
  /** Forgets what was said, and takes no other member. @default false */
  readonly reset?: boolean;
}

/** Hands a checked mapping over. */
export function setHostMapping(vm: NativeVm, hva: number, bytes: number, mapping: HostMapping): void {
  expectKeys("mapping", mapping, ["state", "pfn", "level", "reset"]);
  const { state = "readwrite", pfn, level = 1, reset = false } = mapping;
  expectOneOf("state", state, STATES);
  if (pfn !== undefined) expectInteger("pfn", pfn, 0, Number.MAX_SAFE_INTEGER);
  expectInteger("level", level, 1, 3);
  if (typeof reset !== "boolean") throw wrongType("reset", "true or false", reset);
  const [start, length] = [parseHva(hva, "hva"), parseSize(bytes, "bytes")];
  attempt(() => vm.setHostMapping(start, length, state, pfn, level, reset));
}
