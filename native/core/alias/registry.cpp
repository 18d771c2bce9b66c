#include "core/alias/alias_strategy.hpp"

namespace mmu {
namespace {

// Zero-initialised before any dynamic initialiser runs, so the order in which
// strategies enlist does not matter.
constinit const AliasEntry* first = nullptr;

}  // namespace

const AliasEntry* alias_entries() noexcept { return first; }

const AliasEntry* find_alias(std::string_view name) noexcept {
  const AliasEntry* entry = first;
  while (entry != nullptr && entry->name != name) entry = entry->next;
  return entry;
}

const AliasEntry* detail::enlist(const AliasEntry& entry) noexcept {
  const AliasEntry* rest = first;
  first = &entry;
  return rest;
}

}  // namespace mmu
