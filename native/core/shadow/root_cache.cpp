#include "core/shadow/root_cache.hpp"

namespace mmu {
namespace {

// A zapped root has a role that nobody asks for. How old a root is has no say:
// whoever made it old has told the vCPU.
bool is_usable(const LoadedRoot& root, std::uint64_t pgd, PageRole role,
               const ShadowPages& pages) {
  if (root.kind != LoadedRoot::Kind::kPage) return false;
  if (pages[root.pages[0]].role != role) return false;
  return role.has(PageRole::kDirect) || root.pgd == pgd;
}

}  // namespace

RootCache::Switched RootCache::switch_to(std::uint64_t pgd, PageRole role,
                                         const ShadowPages& pages) noexcept {
  LoadedRoot gone{};
  // No cache keeps what is not one page.
  if (current.kind != LoadedRoot::Kind::kPage)
    gone = std::exchange(current, {});
  if (!current.is_there()) {
    return {find_behind_current(pgd, role, pages), gone};
  }
  if (is_usable(current, pgd, role, pages)) return {true, {}};
  for (LoadedRoot& root : previous_) {
    std::swap(current, root);
    if (is_usable(current, pgd, role, pages)) return {true, {}};
  }
  return {false, std::exchange(current, {})};
}

// Those behind the one that is found move up.
bool RootCache::find_behind_current(std::uint64_t pgd, PageRole role,
                                    const ShadowPages& pages) noexcept {
  for (unsigned i = 0; i < kPrevious; ++i) {
    if (!is_usable(previous_[i], pgd, role, pages)) continue;
    take_previous(i);
    return true;
  }
  return false;
}

void RootCache::take_previous(unsigned place) noexcept {
  current = previous_[place];
  for (; place + 1 < kPrevious; ++place)
    previous_[place] = previous_[place + 1];
  previous_[place] = {};
}

}  // namespace mmu
