/** The counters under the names, and with the gaps, that they had in Linux 5.10. */

/** Counted only by later kernels. */
const LATER = [
  ...["remote_tlb_flush_requests", "max_mmu_rmap_size"],
  ...["pf_taken", "pf_emulate", "pf_spurious", "pf_fast", "pf_mmio_spte_created"],
];

export function asOldKernelCounts(stats: Readonly<Record<string, number>>): Record<string, number> {
  const { pages_4k: _, pages_2m = 0, pages_1g = 0, nx_lpage_splits = 0, ...others } = stats;
  const kept = Object.entries(others).filter(([name]) => !LATER.includes(name));
  return {
    ...Object.fromEntries(kept),
    largepages: pages_2m + pages_1g,
    nx_largepages_splitted: nx_lpage_splits,
  };
}
