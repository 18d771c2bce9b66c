// The shadow pages of a VM, found by frame and role, in the order in which they
// were made.
//
// A page that is zapped while it is a root can be found no more, and takes room
// until the last vCPU lets it go. KVM also gives pages a generation, because it
// may pause while it zaps them all; here nobody can meet one in between. What
// is in a page it does not know, nor who counts and flushes.
//
// Law: a page that can be found is valid, and the only one of its frame and
// role (test/native/shadow_pages_test.cpp).
//
// KVM: kvm_mmu_get_shadow_page(), __kvm_mmu_prepare_zap_page(),
// kvm_arch.active_mmu_pages (v6.16).
#pragma once

#include <vector>

#include "core/index_pool.hpp"
#include "core/shadow/shadow_page.hpp"

namespace mmu {

// What became of a page that was zapped.
enum class ShadowZap : std::uint8_t {
  // Its memory is free, for which everything has to be flushed once.
  kFreed,
  // It is still a root; vCPUs have to be told to look for it.
  kRoot,
};

class ShadowPages {
 public:
  // From here on this many make() in a row cannot fail. Where memory runs out,
  // this leaves everything as it was.
  void reserve(std::size_t pages);

  // kNoShadow if there is none that may be used.
  ShadowId find(Gfn gfn, PageRole role) const noexcept;
  // A page that is not there yet. After reserve().
  ShadowId make(Gfn gfn, PageRole role, std::uint32_t born) noexcept;
  // Of a page that is there.
  ShadowZap zap(ShadowId page) noexcept;

  ShadowPage& operator[](ShadowId page) noexcept { return nodes_[page].page; }
  const ShadowPage& operator[](ShadowId page) const noexcept {
    return nodes_[page].page;
  }
  // Pages that take room, zapped roots among them.
  std::uint64_t used() const noexcept { return nodes_.live(); }
  // Those that can be found and shadow a table of the guest's.
  std::uint64_t tables() const noexcept { return tables_; }
  // Of those that can be found: the oldest, or kNoShadow; the one made next.
  ShadowId first() const noexcept { return oldest_; }
  ShadowId after(ShadowId page) const noexcept { return nodes_[page].younger; }

  // Calls visit(ShadowId) for every page that shadows a table of the guest's in
  // this frame, the youngest first. visit may zap that page.
  template <class Visit>
  void for_each_table(Gfn gfn, Visit visit) {
    if (buckets_.empty()) return;
    ShadowId at = buckets_[bucket_of(gfn)];
    while (at != kNoShadow) {
      const ShadowId next = nodes_[at].next;
      const ShadowPage& page = nodes_[at].page;
      if (page.gfn == gfn && page.has_gptes()) visit(at);
      at = next;
    }
  }

 private:
  struct Node {
    ShadowPage page;
    ShadowId next = kNoShadow;  // in its bucket
    ShadowId older = kNoShadow;
    ShadowId younger = kNoShadow;
  };

  static constexpr unsigned kBucketBits = 12;

  // The multiplier is 2^64 over the golden ratio squared, as in hash_64().
  static constexpr std::uint64_t bucket_of(Gfn gfn) {
    return gfn.value * 0x61c8864680b583eb >> (64 - kBucketBits);
  }

  void enlist(ShadowId page) noexcept;
  void unlist(ShadowId page) noexcept;

  std::vector<ShadowId> buckets_;  // none before the first reserve()
  IndexPool<Node> nodes_;
  ShadowId oldest_ = kNoShadow;
  ShadowId youngest_ = kNoShadow;
  std::uint64_t tables_ = 0;
};

}  // namespace mmu
