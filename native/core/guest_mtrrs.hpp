// The guest's memory type range registers: which type each of its frames has,
// and whether a large page's frames all have one.
//
// One state for the VM, as firmware programs every processor alike. A value:
// who zaps what after a write is not its affair.
//
// KVM: arch/x86/kvm/mtrr.c (v5.10), struct kvm_mtrr.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/address.hpp"

namespace mmu {

// Encodings of the Intel SDM, vol. 3, 12.11; 2 and 3 are reserved.
enum class MemoryType : std::uint8_t {
  kUncached = 0,
  kWriteCombining = 1,
  kWriteThrough = 4,
  kWriteProtected = 5,
  kWriteBack = 6,
};

class GuestMtrrs {
 public:
  // Model-specific registers, by number.
  static constexpr std::uint32_t kVariableBase = 0x200;  // base, mask, base ...
  static constexpr std::uint32_t kDefaultType = 0x2ff;
  static constexpr unsigned kVariables = 8;

  // `address_bits`: the guest's physical width.
  explicit GuestMtrrs(unsigned address_bits) : address_bits_(address_bits) {}

  // WRMSR. False, and nothing changed, where the processor answers #GP: no
  // such register, a reserved type or bit.
  bool write(std::uint32_t msr, std::uint64_t value);

  // Frames whose type the register, as it is now, may decide; none while they
  // are off and it does not turn them on. KVM: update_mtrr().
  GfnRange range_of(std::uint32_t msr) const;

  // Of one frame. KVM: kvm_mtrr_get_guest_memory_type().
  MemoryType type_of(Gfn gfn) const;
  // Every register.
  template <class Add>
  void each_word(Add add) const {
    add(default_);
    for (const std::uint8_t type : fixed_) add(type);
    for (const Variable& pair : variable_) {
      add(pair.base);
      add(pair.mask);
    }
  }
  // Whether the frames may share a huge page.
  // KVM: kvm_mtrr_check_gfn_range_consistency().
  bool is_uniform(GfnRange frames) const;

 private:
  static constexpr unsigned kFixed = 88;

  struct Variable {
    std::uint64_t base = 0;
    std::uint64_t mask = 0;
  };

  // A register pair, taken apart: [start, end) in bytes.
  struct Span {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    MemoryType type = MemoryType::kUncached;
  };
  // What the walk over the ranges that meet some frames has seen.
  struct Seen {
    std::optional<MemoryType> type;
    bool is_mixed = false;
    bool has_gap = false;

    void add(MemoryType more);
  };

  bool is_on() const;
  bool has_fixed() const;
  MemoryType default_type() const;
  std::uint64_t above() const;
  bool write_fixed(std::uint32_t msr, std::uint64_t value);
  bool write_variable(unsigned index, std::uint64_t value);
  Span span_of(const Variable& pair) const;
  // Those that are valid, by where they start.
  std::vector<Span> variable_spans() const;
  Seen look(std::uint64_t start, std::uint64_t end) const;

  unsigned address_bits_;
  std::uint64_t default_ = 0;
  std::array<std::uint8_t, kFixed> fixed_{};
  std::array<Variable, kVariables> variable_{};
};

}  // namespace mmu
