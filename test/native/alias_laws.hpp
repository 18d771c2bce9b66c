// The laws about frames that a strategy keeps or says that it breaks.
//
// Each is a question with a random instance: does it hold this time? A law
// that stands in AliasSupport::breaks must be caught broken, every other law
// must hold whenever it is asked.
#pragma once

#include <random>
#include <string_view>

#include "core/alias/alias_strategy.hpp"

namespace alias_laws {

using Random = std::mt19937_64;

// Answers under one preset and flavour, and frames that belong to them.
struct Subject {
  const mmu::Alias& alias;
  const mmu::AliasSupport& support;

  const mmu::AliasSpace& space() const { return alias.space(); }
  // One more than the last frame that the guest can issue.
  std::uint64_t end() const;
  // One more than the last canonical frame.
  std::uint64_t canonical_end() const;

  mmu::AliasedGfn frame(Random& random) const;
  // A canonical range, as slots of one of its aliases know it.
  mmu::GfnRange slot_range(Random& random) const;
};

struct Law {
  std::string_view name;
  std::string_view sentence;
  bool (*holds)(const Subject& subject, Random& random);
};

extern const std::array<Law, 8> kLaws;

}  // namespace alias_laws
