// Walks of the guest's own tables.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

// Names of the code's bits follow, or nothing.
void read_walk(Fields& in) {
  in.literal("addr ").hex(0).literal(" pferr ").hex(1).rest();
}
void read_element(Fields& in) {
  in.literal("pte ").hex(0).literal(" level ").decimal(1);
}
void read_gpa(Fields& in) { in.literal("gpa ").hex(0); }
void read_error(Fields& in) { in.literal("pferr ").hex(0).rest(); }

const EventEntry walk({.name = "kvm_mmu_pagetable_walk",
                       .fields = {"address", "error_code"},
                       .read = read_walk});
const EventEntry element({.name = "kvm_mmu_paging_element",
                          .fields = {"pte", "level"},
                          .read = read_element});
const EventEntry accessed({.name = "kvm_mmu_set_accessed_bit",
                           .fields = {"gpa"},
                           .read = read_gpa});
const EventEntry dirty({.name = "kvm_mmu_set_dirty_bit",
                        .fields = {"gpa"},
                        .read = read_gpa});
const EventEntry error({.name = "kvm_mmu_walker_error",
                        .fields = {"error_code"},
                        .read = read_error});

}  // namespace
}  // namespace mmu::observe
