// Accesses that no memory answers: emulated ones, and the entries that mark
// their frames.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

void read_mmio(Fields& in) {
  in.literal("mmio ").text_before(0, " ").literal(" len ").decimal(1);
  in.literal(" gpa ").hex(2).literal(" val ").hex(3);
}

void read_fast_mmio(Fields& in) { in.literal("fast mmio at gpa ").hex(0); }

void read_match(Fields& in) {
  in.literal("gva ").hex(0).literal(" gpa ").hex(1).literal(" ");
  in.text_before(2, " ").literal(" ");
  in.set_text(3, in.next_token());
}

// "access" is the entry's low three bits, whatever they mean there.
void read_mark(Fields& in) {
  in.literal("sptep:").pointer(0).literal(" gfn ").hex(1);
  in.literal(" access ").hex(2).literal(" gen ").hex(3);
}

void read_handle(Fields& in) {
  in.literal("addr:").hex(0).literal(" gfn ").hex(1);
  in.literal(" access ").hex(2);
}

void read_check(Fields& in) {
  in.literal("spte ").hex(0).literal(" kvm_gen ").hex(1);
  in.literal(" spte-gen ").hex(2).literal(" valid ").integer(3);
}

const EventEntry mmio({.name = "kvm_mmio",
                       .fields = {"kind", "bytes", "gpa", "value"},
                       .read = read_mmio});
const EventEntry fast_mmio({.name = "kvm_fast_mmio",
                            .fields = {"gpa"},
                            .read = read_fast_mmio});
const EventEntry match({.name = "vcpu_match_mmio",
                        .fields = {"gva", "gpa", "access", "by"},
                        .read = read_match});
const EventEntry mark({.name = "mark_mmio_spte",
                       .fields = {"sptep", "gfn", "access", "gen"},
                       .read = read_mark});
const EventEntry handle({.name = "handle_mmio_page_fault",
                         .fields = {"address", "gfn", "access"},
                         .read = read_handle});
const EventEntry check({.name = "check_mmio_spte",
                        .fields = {"spte", "kvm_gen", "spte_gen", "valid"},
                        .read = read_check});

}  // namespace
}  // namespace mmu::observe
