#include "core/shadow/root_request.hpp"

#include <algorithm>

namespace mmu {
namespace {

constexpr unsigned kPaeLevels = 3;

unsigned levels_of(const GuestRegisters& of) {
  if ((of.cr0 & cr0::kPaging) == 0) return 0;
  if ((of.efer & efer::kLongModeActive) != 0) {
    return (of.cr4 & cr4::kLa57) != 0 ? 5 : 4;
  }
  return (of.cr4 & cr4::kPae) != 0 ? kPaeLevels : 2;
}

// With paging off no other bit of the registers counts.
PageRole paging_role(const GuestRegisters& of) {
  const bool heeds_wp = (of.cr0 & cr0::kWriteProtect) != 0;
  const bool smep = (of.cr4 & cr4::kSmep) != 0;
  const bool smap = (of.cr4 & cr4::kSmap) != 0;
  std::uint32_t word = 0;
  if ((of.cr4 & cr4::kPae) == 0) word |= PageRole::kHas4ByteGpte;
  if (heeds_wp) word |= PageRole::kCr0Wp;
  if (smep && !heeds_wp) word |= PageRole::kSmepAndNotWp;
  if (smap && !heeds_wp) word |= PageRole::kSmapAndNotWp;
  return {word};
}

}  // namespace

// A guest without tables of 64 bits is shadowed by those of PAE, and entries
// have NX whether the guest has it or not.
RootRequest root_request(const GuestRegisters& registers,
                         const std::array<std::uint64_t, 4>& pdptrs) {
  const unsigned levels = levels_of(registers);
  const PageRole own =
      levels == 0 ? PageRole{PageRole::kDirect} : paging_role(registers);
  const PageRole role = own.with(PageRole::kAccessAll | PageRole::kEferNx);
  return {.role = role.at_level(std::max(levels, kPaeLevels)),
          .guest_levels = levels,
          .pgd = registers.cr3,
          .pdptrs = pdptrs};
}

}  // namespace mmu
