// VMX: the exit qualification of an EPT violation, as KVM prints it.
#include "trace/fault_code.hpp"
#include "trace/vendor.hpp"

namespace mmu::trace {
namespace {

// Bits 7 to 11 (linear address, guest page tables, the guest's own
// permissions) are the qualification's alone, if nothing is above bit 31.
constexpr std::uint64_t kOnlyHere = 0xf80;

bool conclusive(std::uint64_t code) {
  return (code & kOnlyHere) != 0 && access_of_qualification(code) != 0;
}

bool exits(std::string_view reason) {
  return reason.starts_with("EPT_VIOLATION") ||
         reason.starts_with("EPT_MISCONFIG");
}

const VendorEntry entry({
    .name = "intel",
    .summary = "exit qualifications of VMX",
    .rank = 0,
    .expected = "the exit qualification of an Intel EPT violation, not an AMD "
                "or shadow-paging error code",
    .access = access_of_qualification,
    .conclusive = conclusive,
    .exits = exits,
});

}  // namespace
}  // namespace mmu::trace
