// A fault plan: every k-th call over a VM's life is struck.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/parse_number.hpp"

namespace mmu {

class EveryKth {
 public:
  // 0 strikes never.
  constexpr explicit EveryKth(std::uint64_t period = 0) : period_(period) {}

  // Counts a call; true if it is struck.
  constexpr bool strikes() {
    if (period_ == 0 || ++calls_ < period_) return false;
    calls_ = 0;
    return true;
  }

  // What decides which calls to come it strikes.
  template <class Add>
  constexpr void each_word(Add add) const {
    add(calls_);
  }

 private:
  std::uint64_t period_;
  std::uint64_t calls_ = 0;  // since the last strike
};

// `text` behind `prefix` as a period of at least 1.
inline std::optional<EveryKth> parse_every_kth(std::string_view text,
                                               std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto period = parse_decimal(text.substr(prefix.size()));
  if (!period || *period == 0) return std::nullopt;
  return EveryKth{*period};
}

}  // namespace mmu
