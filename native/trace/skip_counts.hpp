// Counts of what was passed over, by reason, in bounded memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace mmu::trace {

class SkipCounts {
 public:
  using Map = std::map<std::string, std::uint64_t, std::less<>>;

  explicit SkipCounts(Map& counts) : counts_(counts) {}

  void add(std::string_view reason) {
    auto at = counts_.find(reason);
    if (at == counts_.end()) {
      const bool keep =
          counts_.size() < kMaxReasons && reason.size() <= kMaxLength;
      at = counts_.try_emplace(std::string(keep ? reason : kRest)).first;
    }
    ++at->second;
  }

 private:
  // A reason can be an event's name, read from the input: damaged input must
  // not make a million of them.
  static constexpr std::size_t kMaxReasons = 256;
  static constexpr std::size_t kMaxLength = 64;
  static constexpr std::string_view kRest = "other events";

  Map& counts_;
};

}  // namespace mmu::trace
