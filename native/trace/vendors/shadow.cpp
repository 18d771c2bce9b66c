// Shadow paging: KVM intercepts #PF, so the code is the processor's own and
// the address is the guest's virtual one. KVM prints the same event for it.
#include "core/bits.hpp"
#include "core/event.hpp"
#include "trace/vendor.hpp"

namespace mmu::trace {
namespace {

constexpr std::uint64_t kWrite = bit(1);
constexpr std::uint64_t kFetch = bit(4);
// Present, write, user, reserved, fetch, protection key, shadow stack, SGX.
constexpr std::uint64_t kKnown = 0x7f | bit(15);

std::uint8_t access(std::uint64_t code) {
  if ((code & ~kKnown) != 0) return 0;
  if ((code & kWrite) != 0) return (code & kFetch) != 0 ? 0 : kAccessWrite;
  return (code & kFetch) != 0 ? kAccessFetch : kAccessRead;
}

bool conclusive(std::uint64_t) { return false; }

// "PF excp" is SVM's name; either names the exit of any exception.
bool decides(std::string_view reason) {
  return reason.starts_with("EXCEPTION_NMI") || reason.starts_with("PF excp") ||
         reason.starts_with("EXIT_EXCP_PF");
}

const VendorEntry entry({
    .name = "shadow",
    .summary = "#PF codes under shadow paging, at guest-virtual addresses",
    .rank = 3,
    .expected = "a #PF code",
    .access = access,
    .conclusive = conclusive,
    .exits = [](std::string_view) { return false; },
    .decides = decides,
    .is_virtual = true,
});

}  // namespace
}  // namespace mmu::trace
