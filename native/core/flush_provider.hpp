// Who carries out a range flush: nobody, Hyper-V, or one that fails by plan.
//
// It knows how many pages it is asked for, not which, and keeps no accounts:
// what a failure leads to is the caller's affair.
//
// KVM: kvm_x86_ops.flush_remote_tlbs and flush_remote_tlbs_range,
// arch/x86/kvm/kvm_onhyperv.c (v6.16).
#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.hpp"
#include "core/every_kth.hpp"
#include "core/hyperv_list.hpp"

namespace mmu {

class FlushProvider {
 public:
  // No provider.
  constexpr FlushProvider() = default;
  static constexpr FlushProvider hyperv() { return {true, true, EveryKth{}}; }
  static constexpr FlushProvider failing(EveryKth failures) {
    return {true, false, failures};
  }

  constexpr bool exists() const { return exists_; }
  // Whether a flush of everything goes through it too.
  constexpr bool has_full_hook() const { return hyperv_; }

  // If it exists: asks for a flush of this many pages. True if it was done.
  constexpr bool call(std::uint64_t pages) {
    return !(hyperv_ && !hyperv::fits(pages)) && !failures_.strikes();
  }

  template <class Add>
  constexpr void each_word(Add add) const {
    failures_.each_word(add);
  }

 private:
  constexpr FlushProvider(bool exists, bool hyperv, EveryKth failures)
      : exists_(exists), hyperv_(hyperv), failures_(failures) {}

  bool exists_ = false;
  bool hyperv_ = false;
  EveryKth failures_{};
};

// none, hyperv, or fail:<k>, of which every k-th call fails. Else kConfig.
Result<FlushProvider> parse_flush_provider(std::string_view text);

}  // namespace mmu
