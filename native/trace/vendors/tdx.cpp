// TDX: the exit qualification again, but of a private page KVM learns no more
// than that it was missing, and faults it in as if it had been written (KVM:
// tdx_handle_ept_violation(), v6.16). Nothing in a code shows TDX by itself.
#include "trace/fault_code.hpp"
#include "trace/vendor.hpp"

namespace mmu::trace {
namespace {

bool conclusive(std::uint64_t) { return false; }

bool exits(std::string_view reason) { return reason.starts_with("TDCALL"); }

const VendorEntry entry({
    .name = "tdx",
    .summary = "exit qualifications of TDX guests",
    .rank = 2,
    .expected = "the exit qualification of a TDX guest's EPT violation",
    .access = access_of_qualification,
    .conclusive = conclusive,
    .exits = exits,
});

}  // namespace
}  // namespace mmu::trace
