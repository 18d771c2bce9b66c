// What a guest's page walk hangs on: the registers of a vCPU, and what its
// CPUID says. Values, checked by set_registers.hpp.
//
// Intel SDM vol. 3, 2.5; AMD APM vol. 2, 3.1. KVM: struct kvm_sregs (v6.16).
#pragma once

#include <cstdint>
#include <optional>

#include "core/bits.hpp"

namespace mmu {

namespace cr0 {
inline constexpr std::uint64_t kProtected = bit(0);
inline constexpr std::uint64_t kWriteProtect = bit(16);
inline constexpr std::uint64_t kNotWriteThrough = bit(29);
inline constexpr std::uint64_t kCacheDisable = bit(30);
inline constexpr std::uint64_t kPaging = bit(31);
}  // namespace cr0

namespace cr4 {
inline constexpr std::uint64_t kPse = bit(4);
inline constexpr std::uint64_t kPae = bit(5);
inline constexpr std::uint64_t kUmip = bit(11);
inline constexpr std::uint64_t kLa57 = bit(12);
inline constexpr std::uint64_t kVmx = bit(13);
inline constexpr std::uint64_t kFsgsbase = bit(16);
inline constexpr std::uint64_t kPcid = bit(17);
inline constexpr std::uint64_t kXsave = bit(18);
inline constexpr std::uint64_t kSmep = bit(20);
inline constexpr std::uint64_t kSmap = bit(21);
inline constexpr std::uint64_t kPke = bit(22);
inline constexpr std::uint64_t kLamSupervisor = bit(28);
}  // namespace cr4

namespace efer {
inline constexpr std::uint64_t kLongMode = bit(8);
inline constexpr std::uint64_t kLongModeActive = bit(10);
inline constexpr std::uint64_t kNoExecute = bit(11);
}  // namespace efer

namespace rflags {
inline constexpr std::uint64_t kAlignmentCheck = bit(18);
}  // namespace rflags

// As they are out of reset.
struct GuestRegisters {
  std::uint64_t cr0 = 0x60000010;
  std::uint64_t cr3 = 0;
  std::uint64_t cr4 = 0;
  std::uint64_t efer = 0;
  std::uint64_t rflags = 2;
  std::uint32_t pkru = 0;
  bool code64 = false;  // CS.L

  friend bool operator==(const GuestRegisters&,
                         const GuestRegisters&) = default;
};

// A feature that a walk or CR4 asks for, as a bit of GuestCpuid::features.
namespace cpuid {
inline constexpr std::uint32_t kGigabytePages = 1u << 0;
inline constexpr std::uint32_t kUmip = 1u << 1;
inline constexpr std::uint32_t kLa57 = 1u << 2;
inline constexpr std::uint32_t kVmx = 1u << 3;
inline constexpr std::uint32_t kFsgsbase = 1u << 4;
inline constexpr std::uint32_t kPcid = 1u << 5;
inline constexpr std::uint32_t kXsave = 1u << 6;
inline constexpr std::uint32_t kSmep = 1u << 7;
inline constexpr std::uint32_t kSmap = 1u << 8;
inline constexpr std::uint32_t kPku = 1u << 9;
inline constexpr std::uint32_t kLam = 1u << 10;
inline constexpr std::uint32_t kAll = (1u << 11) - 1;
}  // namespace cpuid

// A guest whose CPUID nobody has set.
struct GuestCpuid {
  // The low byte of leaf 0x80000008 EAX; none where there is no such leaf.
  std::optional<std::uint8_t> maxphyaddr;
  // AMD or Hygon.
  bool is_amd = false;
  std::uint32_t features = 0;

  bool has(std::uint32_t feature) const { return (features & feature) != 0; }
  // KVM: cpuid_query_maxphyaddr().
  unsigned address_width() const { return maxphyaddr.value_or(36); }

  friend bool operator==(const GuestCpuid&, const GuestCpuid&) = default;
};

// What a hypervisor that runs in the guest has said of its own EPT.
struct EptControls {
  std::uint64_t eptp =
      0;  // bits 5:3 the depth less 1, bit 6 Accessed and Dirty
  bool has_2m = true;
  bool has_1g = true;
  bool has_execute_only = true;

  friend bool operator==(const EptControls&, const EptControls&) = default;
};

// The tables under a guest's own, which a hypervisor in the guest has made.
struct NestedPaging {
  enum class Kind : std::uint8_t { kNone, kEpt, kNpt };

  Kind kind = Kind::kNone;
  EptControls ept{};
  // The control registers of that hypervisor, and as CR3 its nested CR3.
  GuestRegisters npt{};

  friend bool operator==(const NestedPaging&, const NestedPaging&) = default;
};

// Bits of a 64-bit word from `width` up to `top`, if there are any.
constexpr std::uint64_t bits_from(unsigned width, unsigned top) {
  return width > top ? 0 : bits(top, width);
}

}  // namespace mmu
