// How an MMIO entry packs a frame and a generation around the bits that make
// hardware refuse it.
//
// Where processors speculate on what absent entries point to (L1TF), the top
// five bits of what their caches can hold are set in every MMIO entry, and the
// frame's own bits of that place are kept five places higher. With or without,
// frame bits at or above the physical width are stored and lost again.
//
// KVM: make_mmio_spte(), get_mmio_spte_gfn(), kvm_mmu_reset_all_pte_masks()
// (v6.16, 5.10).
#pragma once

#include <cstdint>

#include "core/address.hpp"
#include "core/bits.hpp"

namespace mmu {

// What of a host decides where a frame can be in an MMIO entry.
struct HostWidth {
  // Physical bits that the caches know.
  unsigned bits = 46;
  // The mitigation is wanted.
  bool l1tf = false;

  static constexpr unsigned kField = 5;
  // Wider caches have no room for the field above it, and KVM goes without.
  constexpr bool moves_bits() const { return l1tf && bits + kField < 52; }
  // Always ones, and where the frame's bits of that place went.
  constexpr std::uint64_t field() const {
    return moves_bits() ? mmu::bits(bits - 1, bits - kField) : 0;
  }
  // Bits of a gpa that stay where they are.
  constexpr std::uint64_t in_place() const {
    return mmu::bits((moves_bits() ? bits - kField : bits) - 1, kPageShift);
  }
};

struct MmioLayout {
  // Set in every MMIO entry.
  std::uint64_t marker;
  // An entry is one if these bits are as in `told_by_value`.
  std::uint64_t told_by;
  std::uint64_t told_by_value;
  // What a direct map may do, as far as the entry keeps it.
  std::uint64_t access;
  // The generation: its low bits go to bit 3, its high ones up here.
  unsigned generation_bits;
  unsigned low_bits;
  unsigned high_shift;

  static constexpr unsigned kLowShift = 3;

  constexpr bool is_mmio(std::uint64_t raw) const {
    return (raw & told_by) == told_by_value;
  }
  constexpr std::uint64_t wrapped(std::uint64_t generation) const {
    return generation & (bit(generation_bits) - 1);
  }
  constexpr std::uint64_t make(HostWidth host, Gfn gfn,
                               std::uint64_t generation) const {
    const std::uint64_t kept = wrapped(generation);
    const std::uint64_t gpa = gpa_of(gfn).value;
    return marker | access | gpa | host.field() |
           ((gpa & host.field()) << HostWidth::kField) |
           ((kept & (bit(low_bits) - 1)) << kLowShift) |
           ((kept >> low_bits) << high_shift);
  }
  constexpr Gfn gfn(HostWidth host, std::uint64_t raw) const {
    const std::uint64_t gpa =
        (raw & host.in_place()) | ((raw >> HostWidth::kField) & host.field());
    return {gpa >> kPageShift};
  }
  constexpr std::uint64_t generation(std::uint64_t raw) const {
    const unsigned high_bits = generation_bits - low_bits;
    return ((raw >> kLowShift) & (bit(low_bits) - 1)) |
           (((raw >> high_shift) & (bit(high_bits) - 1)) << low_bits);
  }
};

}  // namespace mmu
