#include "core/guest/set_registers.hpp"

#include <array>
#include <utility>

namespace mmu {
namespace {

constexpr std::uint64_t kOldCr4 = bits(10, 0);

// Bits of CR4 that go with a feature of the guest's CPUID.
// KVM: __cr4_reserved_bits().
constexpr std::array<std::pair<std::uint64_t, std::uint32_t>, 10> kFeatures{{
    {cr4::kUmip, cpuid::kUmip},
    {cr4::kLa57, cpuid::kLa57},
    {cr4::kVmx, cpuid::kVmx},
    {cr4::kFsgsbase, cpuid::kFsgsbase},
    {cr4::kPcid, cpuid::kPcid},
    {cr4::kXsave, cpuid::kXsave},
    {cr4::kSmep, cpuid::kSmep},
    {cr4::kSmap, cpuid::kSmap},
    {cr4::kPke, cpuid::kPku},
    {cr4::kLamSupervisor, cpuid::kLam},
}};

std::uint64_t allowed_cr4(const GuestCpuid& cpuid,
                          const KernelProfile& kernel) {
  if (kernel.guest_cr4 != 0) return kernel.guest_cr4;
  std::uint64_t allowed = kOldCr4;
  for (const auto& [control, feature] : kFeatures) {
    if (cpuid.has(feature)) allowed |= control;
  }
  return allowed;
}

Error refused(std::string_view name, std::uint64_t value, std::string why) {
  return {ErrorCode::kRegisters,
          {{{name, value}}},
          std::string(name) + " " + number(value) + ": " + std::move(why)};
}

std::optional<Error> check_cr0(std::uint64_t cr0) {
  if ((cr0 & bits(63, 32)) != 0) {
    return refused("cr0", cr0, "bits 63:32 must be 0");
  }
  if ((cr0 & cr0::kPaging) != 0 && (cr0 & cr0::kProtected) == 0) {
    return refused("cr0", cr0, "PG needs PE");
  }
  const bool writes_through = (cr0 & cr0::kNotWriteThrough) == 0;
  if (!writes_through && (cr0 & cr0::kCacheDisable) == 0) {
    return refused("cr0", cr0, "NW needs CD");
  }
  return std::nullopt;
}

// What has to go with EFER.LME and CR0.PG. No alias bit may stand in CR3.
std::optional<Error> check_long_mode(const GuestRegisters& asked,
                                     const GuestCpuid& cpuid) {
  if ((asked.cr4 & cr4::kPae) == 0) {
    return refused("cr4", asked.cr4, "long mode needs PAE");
  }
  if ((asked.efer & efer::kLongModeActive) == 0) {
    return refused("efer", asked.efer, "LME with CR0.PG needs LMA");
  }
  if ((asked.cr3 & bits_from(cpuid.address_width(), 63)) != 0) {
    return refused("cr3", asked.cr3,
                   "above the guest's " +
                       std::to_string(cpuid.address_width()) +
                       " bits of physical address");
  }
  return std::nullopt;
}

std::optional<Error> check_other_modes(const GuestRegisters& asked) {
  if ((asked.efer & efer::kLongModeActive) != 0) {
    return refused("efer", asked.efer, "LMA needs LME and CR0.PG");
  }
  if (asked.code64) {
    return refused("cs.l", 1, "64-bit code needs EFER.LME and CR0.PG");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> check_registers(const GuestRegisters& asked,
                                     const GuestCpuid& cpuid,
                                     const KernelProfile& kernel) {
  const bool is_long =
      (asked.efer & efer::kLongMode) != 0 && (asked.cr0 & cr0::kPaging) != 0;
  auto error =
      is_long ? check_long_mode(asked, cpuid) : check_other_modes(asked);
  if (error) return error;
  if (const auto extra = asked.cr4 & ~allowed_cr4(cpuid, kernel); extra != 0) {
    return refused("cr4", asked.cr4, "this guest has no bits " + number(extra));
  }
  return check_cr0(asked.cr0);
}

GuestRegisters as_taken(const GuestRegisters& asked,
                        const KernelProfile& kernel) {
  GuestRegisters taken = asked;
  const bool is_legacy = (asked.efer & efer::kLongMode) == 0;
  if (kernel.pages_in_long_mode_alone && is_legacy) taken.cr0 &= ~cr0::kPaging;
  return taken;
}

}  // namespace mmu
