// Table pages in the order in which they came, any of which may leave.
//
// The links lie beside the pages and not in them: a page of either size has
// two words here, backed by memory once it was in the queue.
//
// KVM: kvm_arch.active_mmu_pages, kvm_arch.possible_nx_huge_pages (v6.16).
#pragma once

#include "core/lazy_array.hpp"
#include "core/page_pool.hpp"

namespace mmu {

class PageQueue {
 public:
  // For every page that the pool can ever hold. kOutOfMemory where the host
  // refuses the address space, an eighth of the pool's.
  static Result<PageQueue> create(const PagePool& pool) {
    auto links = LazyArray<Links>::create(pool.limit() / kGranule);
    if (!links) return links.error();
    PageQueue queue;
    queue.links_ = std::move(links.value());
    return queue;
  }

  std::uint64_t size() const noexcept { return size_; }
  // The oldest, or kNoPage.
  PageId first() const noexcept { return end().next; }
  // The one that came next, or kNoPage.
  PageId after(PageId page) const noexcept { return links_[page].next; }
  bool contains(PageId page) const noexcept {
    return links_[page].previous != kNoPage || first() == page;
  }

  // Calls visit(page), the oldest first; it changes nothing here.
  template <class Visit>
  void each(Visit visit) const {
    for (PageId at = first(); at != kNoPage; at = links_[at].next) visit(at);
  }

  // At the end, if it is not there.
  void add(PageId page) noexcept {
    if (contains(page)) return;
    join(end().previous, page);
    join(page, kNoPage);
    ++size_;
  }
  // If it is there.
  void remove(PageId page) noexcept {
    if (!contains(page)) return;
    join(links_[page].previous, links_[page].next);
    links_[page] = {};
    --size_;
  }
  // A page that has moved keeps its place.
  void replace(PageId old, PageId now) noexcept {
    if (!contains(old)) return;
    join(links_[old].previous, now);
    join(now, links_[old].next);
    links_[old] = {};
  }

 private:
  struct Links {
    PageId previous;
    PageId next;
  };

  PageQueue() = default;

  // The page that is empty for ever stands before the first and after the
  // last.
  Links& end() const noexcept { return links_[kNoPage]; }
  void join(PageId before, PageId after) noexcept {
    links_[before].next = after;
    links_[after].previous = before;
  }

  LazyArray<Links> links_;
  std::uint64_t size_ = 0;
};

}  // namespace mmu
