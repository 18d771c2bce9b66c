// What is understood of each recorded excerpt, by its number: lines and rows,
// accesses by kind, vCPUs, whose error codes, what was lost, everything passed
// over by reason, and notes about rows that took a guess. Each was checked by
// hand against its file; `excerpts.test.ts` says where the files are.
export const ACCOUNTS: Readonly<Record<string, string>> = {
  "01": `
115 lines, 7 rows: 2 fetch, 5 write
vCPU 0
intel, 99 %
0 lost
passed over: 16 comment, 14 kvm_entry, 14 kvm_exit, 6 kvm_mmu_set_spte, 1 kvm_mmu_split_huge_page, 7 kvm_mmu_spte_requested, 40 kvm_tdp_mmu_spte_changed, 3 kvm_unmap_hva_range, 6 kvm_userspace_exit, 1 mark_mmio_spte`,
  "02": `
7 lines, 7 rows: 3 read, 4 write
vCPU 1 5 6 7
intel, 99 %
0 lost`,
  "03": `
4 lines, 4 rows: 4 read
vCPU 219
amd, 99 %
0 lost`,
  "04": `
13 lines, 3 rows: 3 fetch
vCPU 4 7
intel, 99 %
0 lost
passed over: 3 fast_page_fault, 4 kvm_entry, 3 kvm_exit`,
  "04b": `
8 lines, 0 rows
no vendor
0 lost
passed over: 8 unrecognised fast_page_fault`,
  "05": `
24 lines, 12 rows: 10 read+write, 2 write
vCPU 0 1 2 3
intel, 83 %
0 lost, time runs backwards once, first before row 2
passed over: 4 kvm_entry, 5 kvm_exit, 1 kvm_inj_virq, 1 rcu_utilization, 1 write_msr
2 note: error code of amd`,
  "06": `
14 lines, 4 rows: 4 fetch
vCPU 1 2 3
amd, 99 %
0 lost
passed over: 2 kvm_emulate_insn, 2 kvm_entry, 4 kvm_exit, 1 kvm_fpu, 1 kvm_userspace_exit
4 note: vcpu by kvm_entry or kvm_exit`,
  "07": `
25 lines, 7 rows: 7 write
vCPU 1
intel, 99 %
0 lost
passed over: 1 kvm_dirty_ring_exit, 3 kvm_dirty_ring_push, 1 kvm_dirty_ring_reset, 5 kvm_entry, 5 kvm_exit, 2 kvm_fpu, 1 kvm_userspace_exit
7 note: vcpu by kvm_entry or kvm_exit`,
  "08": `
12 lines, 1 rows: 1 read
vCPU 0
amd, 70 %
0 lost
passed over: 1 kvm_fpu, 1 kvm_mmu_prepare_zap_page, 1 kvm_mmu_set_spte, 1 kvm_mmu_spte_requested, 6 kvm_tdp_mmu_spte_changed, 1 mark of a cut
1 note: vcpu by the task's name`,
  "09": `
16 lines, 0 rows
no vendor
0 lost
passed over: 2 kvm_exit, 1 kvm_mmu_pagetable_walk, 1 kvm_mmu_paging_element, 3 kvm_mmu_prepare_zap_page, 9 kvm_tdp_mmu_spte_changed`,
  "10": `
11 lines, 0 rows
no vendor
0 lost
passed over: 1 header, 4 kvm_mmu_get_page, 2 kvm_mmu_set_spte, 3 kvm_mmu_spte_requested, 1 mark of a cut`,
  "11": `
10 lines, 1 rows: 1 read
vCPU 1
intel, 99 %
0 lost, time runs backwards once, first before row 0
passed over: 1 kvm_emulate_insn, 1 kvm_entry, 1 kvm_exit, 1 kvm_fpu, 3 kvm_mmio, 1 kvm_userspace_exit, 1 vcpu_match_mmio
1 note: vcpu numbered by task`,
  "12": `
9 lines, 2 rows: 1 read, 1 fetch
vCPU 0 1
intel, 99 %
0 lost, time runs backwards once, first before row 2
passed over: 2 kvm_emulate_insn, 3 kvm_exit, 1 kvm_fpu, 1 kvm_nested_vmexit
2 note: vcpu numbered by task`,
  "13": `
8 lines, 0 rows
shadow, 70 %
0 lost
passed over: 1 kvm_emulate_insn, 2 kvm_entry, 2 kvm_exit, 1 kvm_fpu, 2 kvm_page_fault at a guest-virtual address (shadow paging)`,
  "14": `
8 lines, 0 rows
no vendor
0 lost
passed over: 1 kvm_ack_irq, 1 kvm_apic, 2 kvm_entry, 2 kvm_exit, 1 kvm_mmio, 1 kvm_pio`,
  "15": `
10 lines, 1 rows: 1 read
vCPU 0
intel, 50 %
0 lost
passed over: 3 kvm_entry, 1 kvm_exit, 3 kvm_inj_exception, 1 kvm_nested_vmexit, 1 kvm_page_fault at a guest-virtual address (shadow paging)`,
  "16": `
11 lines, 0 rows
no vendor
0 lost, time runs backwards once, first before row 0
passed over: 1 kvm_mmio, 1 kvm_mmu_prepare_zap_page, 1 kvm_mmu_set_spte, 2 kvm_tdp_mmu_spte_changed, 6 stack trace`,
};
