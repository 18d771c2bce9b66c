// Flushes: of all that KVM does only those by hypercall leave a line.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

void read_flush(Fields& in) {
  in.literal("address space ").hex(0).literal(" ret ").integer(1);
}

const EventEntry all({.name = "hyperv_nested_flush_guest_mapping",
                      .fields = {"root", "result"},
                      .read = read_flush});
const EventEntry range({.name = "hyperv_nested_flush_guest_mapping_range",
                        .fields = {"root", "result"},
                        .read = read_flush});

}  // namespace
}  // namespace mmu::observe
