// The side that keeps the private tables which hardware walks, as far as KVM
// notices it: an install is done, contended, or refused.
//
// It knows of no entry and undoes nothing.
//
// KVM: kvm_x86_ops.set_external_spte and link_external_spt (v6.16).
#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.hpp"
#include "core/every_kth.hpp"

namespace mmu {

enum class ExternalAnswer : std::uint8_t { kOk, kBusy, kFailed };

class ExternalTables {
 public:
  // Always kOk.
  constexpr ExternalTables() = default;
  // `other` on the calls that `plan` strikes.
  constexpr ExternalTables(ExternalAnswer other, EveryKth plan)
      : other_(other), plan_(plan) {}

  // For one link or leaf; every ask counts.
  constexpr ExternalAnswer ask() {
    return plan_.strikes() ? other_ : ExternalAnswer::kOk;
  }

  template <class Add>
  constexpr void each_word(Add add) const {
    plan_.each_word(add);
  }

 private:
  ExternalAnswer other_ = ExternalAnswer::kOk;
  EveryKth plan_{};
};

// ok, busy:<k> or fail:<k>, by which every k-th ask is answered. Else kConfig.
Result<ExternalTables> parse_external_tables(std::string_view text);

}  // namespace mmu
