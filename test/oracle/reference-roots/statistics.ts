/** The four statistics of a VM that show what became of its roots. */
export interface Statistics {
  /** mmu_cache_miss: shadow pages made. */
  miss: number;
  /** mmu_shadow_zapped: an active root counts when it is zapped and again when the last vCPU lets it go. */
  zapped: number;
  /** remote_tlb_flush_requests. */
  flush: number;
  /** mmu_recycled. */
  recycled: number;
}

export const noStatistics = (): Statistics => ({ miss: 0, zapped: 0, flush: 0, recycled: 0 });
