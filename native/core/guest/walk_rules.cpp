#include "core/guest/walk_rules.hpp"

#include "core/guest_permissions.hpp"

namespace mmu {
namespace {

constexpr std::uint64_t kPageSize7 = bit(7);
constexpr std::uint64_t kNoExecute = bit(63);

// Bits of a large page's address below its size. Bit 12 is its memory type,
// where entries have one up there.
constexpr std::uint64_t unaligned(unsigned level, unsigned lowest) {
  return bits(level == 3 ? 29 : 20, lowest);
}

using ByLevel = std::array<std::uint64_t, 6>;
using Reserved = std::array<ByLevel, 2>;

Reserved of_32_bit(const GuestRegisters& registers) {
  Reserved reserved{};
  // KVM takes PSE-36 for granted.
  if ((registers.cr4 & cr4::kPse) != 0) reserved[1][2] = bits(21, 17);
  return reserved;
}

Reserved of_pae(std::uint64_t everywhere) {
  Reserved reserved{};
  for (ByLevel& of : reserved) of[1] = of[2] = everywhere;
  reserved[1][2] |= unaligned(2, 13);
  return reserved;
}

Reserved of_long_mode(std::uint64_t everywhere, bool is_amd, bool has_1g) {
  Reserved reserved{};
  const std::uint64_t no_leaf = kPageSize7 | (is_amd ? bit(8) : 0);
  for (ByLevel& of : reserved) {
    of[1] = of[2] = everywhere;
    of[3] = everywhere | (has_1g ? 0 : kPageSize7);
    of[4] = of[5] = everywhere | no_leaf;
  }
  reserved[1][2] |= unaligned(2, 13);
  reserved[1][3] |= unaligned(3, 13);
  return reserved;
}

Reserved of_ept(std::uint64_t everywhere, const EptControls& controls) {
  Reserved reserved{};
  const std::array<bool, 4> has_leaf{false, true, controls.has_2m,
                                     controls.has_1g};
  for (ByLevel& of : reserved) {
    of[1] = everywhere;
    for (unsigned level : {2u, 3u}) {
      of[level] = everywhere | (has_leaf[level] ? 0 : kPageSize7);
    }
    of[4] = of[5] = everywhere | bits(7, 3);
  }
  for (unsigned level : {2u, 3u}) {
    reserved[0][level] |= bits(6, 3);
    reserved[1][level] |= unaligned(level, 12);
  }
  return reserved;
}

bool is_long(const GuestRegisters& registers) {
  return (registers.efer & efer::kLongModeActive) != 0;
}

bool is_pae(const GuestRegisters& registers) {
  return (registers.cr4 & cr4::kPae) != 0;
}

std::uint8_t top_level_of(const GuestRegisters& registers) {
  if (!is_long(registers)) return 2;
  return (registers.cr4 & cr4::kLa57) != 0 ? 5 : 4;
}

Reserved reserved_of(const GuestRegisters& registers, const GuestCpuid& cpuid,
                     std::uint64_t stolen, bool has_1g) {
  if (!is_long(registers) && !is_pae(registers)) return of_32_bit(registers);
  const bool has_nx = (registers.efer & efer::kNoExecute) != 0;
  // Long mode leaves bits 62:52 to software and keys.
  const unsigned top = is_long(registers) ? 51 : 62;
  const std::uint64_t everywhere =
      (bits_from(cpuid.address_width(), top) & ~stolen) |
      (has_nx ? 0 : kNoExecute);
  if (!is_long(registers)) return of_pae(everywhere);
  return of_long_mode(everywhere, cpuid.is_amd,
                      has_1g && cpuid.has(cpuid::kGigabytePages));
}

GuestControls controls_of(const GuestRegisters& registers) {
  return {.write_protect = (registers.cr0 & cr0::kWriteProtect) != 0,
          .smep = (registers.cr4 & cr4::kSmep) != 0,
          .smap = (registers.cr4 & cr4::kSmap) != 0,
          .no_execute = (registers.efer & efer::kNoExecute) != 0};
}

}  // namespace

WalkRules guest_walk_rules(const GuestRegisters& registers,
                           const GuestCpuid& cpuid, std::uint64_t stolen,
                           bool has_1g) {
  if ((registers.cr0 & cr0::kPaging) == 0) return {};
  const GuestControls controls = controls_of(registers);
  const bool is_64 = is_pae(registers) || is_long(registers);
  return {
      .format = is_64 ? GuestFormat::k64 : GuestFormat::k32,
      .top_level = top_level_of(registers),
      .has_pdptrs = is_64 && !is_long(registers),
      .has_large_pages = is_64 || (registers.cr4 & cr4::kPse) != 0,
      .tells_fetch = controls.no_execute || controls.smep,
      .write_protect = controls.write_protect,
      .smap_suspended = (registers.rflags & rflags::kAlignmentCheck) != 0,
      .has_keys = is_long(registers) && (registers.cr4 & cr4::kPke) != 0,
      .pkru = registers.pkru,
      .root = registers.cr3,
      .stolen = is_64 ? stolen : 0,
      .reserved = reserved_of(registers, cpuid, stolen, has_1g),
      .permissions = permission_bytes(controls),
  };
}

WalkRules ept_walk_rules(const EptControls& controls, const GuestCpuid& cpuid) {
  const bool has_ad = (controls.eptp & bit(6)) != 0;
  return {
      .format = GuestFormat::kEpt,
      .top_level = static_cast<std::uint8_t>(((controls.eptp >> 3) & 7) + 1),
      .write_protect = true,
      .keeps_ad = has_ad,
      .has_execute_only = controls.has_execute_only,
      .root = controls.eptp,
      .reserved = of_ept(bits_from(cpuid.address_width(), 51), controls),
      .permissions = permission_bytes(kEptControls),
  };
}

}  // namespace mmu
