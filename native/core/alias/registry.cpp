#include "core/alias/alias_strategy.hpp"

namespace mmu {
namespace {

// Zero-initialised before any dynamic initialiser runs, so the order in which
// strategies enlist does not matter.
constinit const AliasEntry* first = nullptr;

}  // namespace

const AliasEntry* alias_entries() noexcept { return first; }

const AliasEntry* detail::enlist(const AliasEntry& entry) noexcept {
  const AliasEntry* rest = first;
  first = &entry;
  return rest;
}

}  // namespace mmu
