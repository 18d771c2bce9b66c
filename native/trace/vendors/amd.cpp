// SVM: the code of a nested page fault (AMD APM 2, 15.25.6). Kernels before
// v6.1 print its low 32 bits only: a read of 0x100000004 is "error_code 4".
#include "core/bits.hpp"
#include "core/event.hpp"
#include "trace/vendor.hpp"

namespace mmu::trace {
namespace {

constexpr std::uint64_t kPresent = bit(0);
constexpr std::uint64_t kWrite = bit(1);
// The nested walk is made as a user, whatever the guest's level.
constexpr std::uint64_t kUser = bit(2);
constexpr std::uint64_t kReserved = bit(3);
constexpr std::uint64_t kFetch = bit(4);
constexpr std::uint64_t kShadowStack = bit(6);
constexpr std::uint64_t kRmp = bit(31);
// Final walk, page-table walk, encrypted, size mismatch, VMPL.
constexpr std::uint64_t kHigh = bit(32) | bit(33) | bit(34) | bit(35) | bit(36);
constexpr std::uint64_t kKnown = kPresent | kWrite | kUser | kReserved |
                                 kFetch | kShadowStack | kRmp | kHigh;

std::uint8_t access(std::uint64_t code) {
  if ((code & ~kKnown) != 0) return 0;
  if ((code & kHigh) == 0 && (code & kUser) == 0) return 0;
  if ((code & kWrite) != 0) return (code & kFetch) != 0 ? 0 : kAccessWrite;
  return (code & kFetch) != 0 ? kAccessFetch : kAccessRead;
}

bool conclusive(std::uint64_t code) {
  return (code & kHigh) != 0 && access(code) != 0;
}

// "npf" of the kernel, "EXIT_NPF" of trace-cmd's plug-in.
bool exits(std::string_view reason) {
  return reason.starts_with("npf") || reason.starts_with("EXIT_NPF");
}

const VendorEntry entry({
    .name = "amd",
    .summary = "nested page fault codes of SVM",
    .rank = 1,
    .expected = "a nested page fault code of AMD",
    .access = access,
    .conclusive = conclusive,
    .exits = exits,
});

}  // namespace
}  // namespace mmu::trace
