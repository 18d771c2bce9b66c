// A vCPU's ways out of the guest and back: exits, entries, faults.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

// vcpu 0 rip 0xfff0 address 0x00000000fffffff0 error_code 0x184   (v6.1)
// address fffffff0 error_code 184                                 (before)
void read_page_fault(Fields& in) {
  if (in.take("vcpu ")) in.decimal(0).literal(" rip ").hex(1).literal(" ");
  in.literal("address ").hex(2).literal(" error_code ").hex(3);
}

// The oldest kernels print no more than a reason and rip; then came "info" and
// two numbers, then four with names, and last the requests.
void read_exit(Fields& in) {
  if (in.take("vcpu ")) in.decimal(0).literal(" ");
  in.literal("reason ").text_before(1, " rip ").literal(" rip ").hex(2);
  if (in.take(" info1 ")) {
    in.hex(3).literal(" info2 ").hex(4).literal(" intr_info ").hex(5);
    in.literal(" error_code ").hex(6);
    if (in.take(" requests ")) in.hex(7);
  } else if (in.take(" info ")) {
    in.hex(3).literal(" ").hex(4);
  }
}

// What follows the error code says whether a nested guest is entered.
void read_entry(Fields& in) {
  in.literal("vcpu ").decimal(0);
  if (in.take(", rip ")) in.hex(1);
  if (in.take(" intr_info ")) {
    in.hex(2).literal(" error_code ").hex(3).rest();
  }
}

// An errno is printed as it is positive, behind "error" or "restart".
void read_userspace_exit(Fields& in) {
  in.literal("reason ").text_before(0, " (").literal(" (").integer(1);
  in.literal(")");
}

void read_rmp_fault(Fields& in) {
  in.literal("vcpu ").decimal(0).literal(" gpa ").hex(1).literal(" pfn ");
  in.hex(2).literal(" error_code ").hex(3).literal(" rmp_level ").integer(4);
  in.literal(" psmash_ret ").integer(5);
}

const EventEntry page_fault({.name = "kvm_page_fault",
                             .fields = {"vcpu", "rip", "address", "error_code"},
                             .read = read_page_fault});
const EventEntry exit({.name = "kvm_exit",
                       .fields = {"vcpu", "reason", "rip", "info1", "info2",
                                  "intr_info", "error_code", "requests"},
                       .read = read_exit});
const EventEntry entry({.name = "kvm_entry",
                        .fields = {"vcpu", "rip", "intr_info", "error_code"},
                        .read = read_entry});
const EventEntry userspace_exit({.name = "kvm_userspace_exit",
                                 .fields = {"reason", "number"},
                                 .read = read_userspace_exit});
const EventEntry rmp_fault({.name = "kvm_rmp_fault",
                            .fields = {"vcpu", "gpa", "pfn", "error_code",
                                       "rmp_level", "psmash_ret"},
                            .read = read_rmp_fault});

}  // namespace
}  // namespace mmu::observe
