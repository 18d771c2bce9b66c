// The root that a vCPU has loaded, and those that it had before and may come
// back to.
//
// It moves roots and releases none: who asks is told what has to go.
//
// KVM: fast_pgd_switch(), cached_root_find_and_keep_current(),
// cached_root_find_without_current(), is_obsolete_root() (v6.16).
#pragma once

#include <array>
#include <utility>

#include "core/shadow/shadow_pages.hpp"

namespace mmu {

// PAE has four root entries, each for 1 GiB.
inline constexpr unsigned kPaeRoots = 4;

struct LoadedRoot {
  enum class Kind : std::uint8_t {
    kNone,
    // CR3 leads where no slot is: a table without entries.
    kDummy,
    // Up to four pages at level 2, behind a table that is no shadow page.
    kPae,
    kPage,
  };

  Kind kind = Kind::kNone;
  // kPage has the first alone.
  std::array<ShadowId, kPaeRoots> pages{};
  std::uint64_t pgd = 0;

  bool is_there() const { return kind != Kind::kNone; }
};

class RootCache {
 public:
  // KVM: KVM_MMU_NUM_PREV_ROOTS.
  static constexpr unsigned kPrevious = 3;

  LoadedRoot current;

  // Another CR3, or another role. `is_found`: its root was here, and is the
  // current one now. `gone` has to be released, if it is there.
  struct Switched {
    bool is_found = false;
    LoadedRoot gone{};
  };
  Switched switch_to(std::uint64_t pgd, PageRole role,
                     const ShadowPages& pages) noexcept;

  // Takes every root that drops(root) is true of, and calls release(root).
  template <class Drops, class Release>
  void drop_if(Drops drops, Release release) {
    for (LoadedRoot& root : previous_) {
      if (root.is_there() && drops(root)) release(std::exchange(root, {}));
    }
    if (current.is_there() && drops(current)) {
      release(std::exchange(current, {}));
    }
  }

  // Calls visit(root) for every root, the current one first, then the latest.
  template <class Visit>
  void for_each(Visit visit) const {
    if (current.is_there()) visit(current);
    for (const LoadedRoot& root : previous_) {
      if (root.is_there()) visit(root);
    }
  }

 private:
  bool find_behind_current(std::uint64_t pgd, PageRole role,
                           const ShadowPages& pages) noexcept;
  void take_previous(unsigned place) noexcept;

  std::array<LoadedRoot, kPrevious> previous_{};  // the latest first
};

// What has no shadow page of its own may be of any age.
inline bool is_obsolete(const LoadedRoot& root, const ShadowPages& pages) {
  return root.kind != LoadedRoot::Kind::kPage ||
         pages[root.pages[0]].is_invalid();
}

}  // namespace mmu
