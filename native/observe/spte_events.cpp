// Entries of the tables: asked for, set, changed, fixed without a lock, split.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

void read_requested(Fields& in) {
  in.literal("gfn ").hex(0).literal(" pfn ").hex(1).literal(" level ");
  in.decimal(2);
}

void read_set(Fields& in) {
  in.literal("gfn ").hex(0).literal(" spte ").hex(1).literal(" (").rights(3);
  in.literal(") level ").decimal(2).literal(" at ").hex(4);
}

void read_changed(Fields& in) {
  in.literal("as id ").decimal(0).literal(" gfn ").hex(1).literal(" level ");
  in.decimal(2).literal(" old_spte ").hex(3).literal(" new_spte ").hex(4);
}

void read_fast(Fields& in) {
  in.literal("vcpu ").integer(0).literal(" gva ").hex(1);
  in.literal(" error_code ").error_flags(2).literal(" sptep ").pointer(3);
  in.literal(" old ").hex(4).literal(" new ").hex(5);
  in.literal(" spurious ").decimal(6).literal(" fixed ").decimal(7);
}

void read_split(Fields& in) {
  in.literal("gfn ").hex(0).literal(" spte ").hex(1).literal(" level ");
  in.decimal(2).literal(" errno ").integer(3);
}

// The generation was as long as an unsigned long once: hexadecimal both times.
void read_zap_all(Fields& in) {
  in.literal("kvm-mmu-valid-gen ").hex(0).literal(" used_pages ").hex(1);
}

const EventEntry requested({.name = "kvm_mmu_spte_requested",
                            .fields = {"gfn", "pfn", "level"},
                            .read = read_requested});
const EventEntry set({.name = "kvm_mmu_set_spte",
                      .fields = {"gfn", "spte", "level", "rights", "at"},
                      .read = read_set});
const EventEntry changed({.name = "kvm_tdp_mmu_spte_changed",
                          .fields = {"as_id", "gfn", "level", "old_spte",
                                     "new_spte"},
                          .read = read_changed});
const EventEntry fast({.name = "fast_page_fault",
                       .fields = {"vcpu", "address", "error_code", "sptep",
                                  "old_spte", "new_spte", "spurious", "fixed"},
                       .read = read_fast});
const EventEntry split({.name = "kvm_mmu_split_huge_page",
                        .fields = {"gfn", "spte", "level", "errno"},
                        .read = read_split});
const EventEntry zap_all_fast({.name = "kvm_mmu_zap_all_fast",
                               .fields = {"gen", "used_pages"},
                               .read = read_zap_all});
const EventEntry invalidate_all({.name = "kvm_mmu_invalidate_zap_all_pages",
                                 .fields = {"gen", "used_pages"},
                                 .read = read_zap_all});

}  // namespace
}  // namespace mmu::observe
