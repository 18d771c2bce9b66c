/**
 * Whose error codes a recorded fault may have, by name. What each code means
 * is known to the native decoders alone.
 */

/**
 * `intel`: exit qualifications; `amd`: nested page fault codes; `tdx`: exit
 * qualifications of which private faults say nothing; `shadow`: #PF codes at
 * guest-virtual addresses, which are replayed as if they were physical;
 * `auto`: code by code, and #PF codes are only counted.
 */
export const TRACE_VENDORS = ["auto", "intel", "amd", "tdx", "shadow"] as const;

export type TraceVendor = (typeof TRACE_VENDORS)[number];
