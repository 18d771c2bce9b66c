// Dirty rings, and the hardware's own log of written pages.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

// The first version, never merged, printed a result: "ret 0 (used 1)".
void read_push(Fields& in) {
  in.literal("ring ").integer(0).literal(": dirty ").hex(1);
  in.literal(" reset ").hex(2).literal(" slot ").decimal(3);
  in.literal(" offset ").hex(4);
  if (in.take(" ret ")) in.integer(6);
  in.literal(" (used ").integer(5).literal(")");
}

void read_reset(Fields& in) {
  in.literal("ring ").integer(0).literal(": dirty ").hex(1);
  in.literal(" reset ").hex(2).literal(" (used ").integer(5).literal(")");
}

void read_exit(Fields& in) { in.literal("vcpu ").integer(0); }
void read_full(Fields& in) {
  in.literal("vcpu ").integer(0).literal(": PML full");
}

const EventEntry push({.name = "kvm_dirty_ring_push",
                       .fields = {"ring", "dirty", "reset", "slot", "offset",
                                  "used", "result"},
                       .read = read_push});
const EventEntry reset({.name = "kvm_dirty_ring_reset",
                        .fields = {"ring", "dirty", "reset", "", "", "used"},
                        .read = read_reset});
const EventEntry exit({.name = "kvm_dirty_ring_exit",
                       .fields = {"vcpu"},
                       .read = read_exit});
const EventEntry full({.name = "kvm_pml_full",
                       .fields = {"vcpu"},
                       .read = read_full});

}  // namespace
}  // namespace mmu::observe
