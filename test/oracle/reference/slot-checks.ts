/**
 * Checks that look at a request alone, or at whether its slot exists, in KVM's
 * order. All of them come to EINVAL. KVM: kvm_set_memory_region(),
 * check_memory_region_flags() (v6.16).
 */
import { frameOf, PAGE_BYTES } from "./frames.js";
import { NO_FILE } from "./guest-memfd.js";
import type { Memslots } from "./memslots.js";
import { has } from "./rights.js";
import { GUEST_MEMFD, LOG_DIRTY, READONLY, Refusal, type Region } from "./types.js";

const MAX_SLOT_PAGES = 2 ** 31 - 1;
const WORD = 2n ** 64n;

interface Check {
  readonly code: string;
  readonly fails: (region: Region, sets: Memslots) => boolean;
}

const CHECKS: readonly Check[] = [
  {
    code: "ERR_MEMSLOT_FLAGS",
    fails: ({ flags, isOldIoctl = false }) => isOldIoctl && flags > LOG_DIRTY + READONLY,
  },
  { code: "ERR_MEMSLOT_ID", fails: ({ slot }, { limits }) => slot % 65536 >= limits.rules.userSlots },
  { code: "ERR_MEMSLOT_FLAGS", fails: hasBadFlags },
  { code: "ERR_MEMSLOT_SIZE", fails: ({ bytes }) => bytes % PAGE_BYTES !== 0 },
  { code: "ERR_MEMSLOT_GPA", fails: ({ gpa }) => gpa % PAGE_BYTES !== 0 },
  {
    code: "ERR_MEMSLOT_HVA",
    fails: ({ hva, bytes }, { limits }) => hva % PAGE_BYTES !== 0 || hva + bytes > limits.userEnd,
  },
  {
    code: "ERR_MEMSLOT_MEMFD",
    fails: ({ flags, bytes, memfd = NO_MEMFD }) =>
      has(flags, GUEST_MEMFD) &&
      (memfd.offset % PAGE_BYTES !== 0 || BigInt(memfd.offset) + BigInt(bytes) >= WORD),
  },
  {
    code: "ERR_MEMSLOT_ADDRESS_SPACE",
    fails: ({ slot }, { limits }) => Math.floor(slot / 65536) >= limits.addressSpaces,
  },
  { code: "ERR_MEMSLOT_WRAPS", fails: ({ gpa, bytes }) => BigInt(gpa) + BigInt(bytes) >= WORD },
  { code: "ERR_MEMSLOT_TOO_LARGE", fails: ({ bytes }) => frameOf(bytes) > MAX_SLOT_PAGES },
  { code: "ERR_MEMSLOT_MISSING", fails: ({ slot, bytes }, sets) => bytes === 0 && !sets.slots.has(slot) },
];

/** What a request without a file says. */
export const NO_MEMFD = { fd: NO_FILE, offset: 0 };

/** Memory of a file can be neither logged nor read-only. */
function hasBadFlags({ flags }: Region, { limits }: Memslots): boolean {
  if (has(flags, GUEST_MEMFD)) return !limits.takesMemfd || flags !== GUEST_MEMFD;
  return flags > LOG_DIRTY + READONLY;
}

export function refuseRequest(region: Region, sets: Memslots): void {
  const failed = CHECKS.find((check) => check.fails(region, sets));
  if (failed !== undefined) throw new Refusal(failed.code, "EINVAL");
}
