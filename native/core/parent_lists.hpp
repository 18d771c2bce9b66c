// The links that lead to a table page: usually one, and one an alias where
// aliases share their tables.
//
// A page that nothing links to has the empty list and may exist all the same.
//
// KVM: kvm_mmu_page.parent_ptes (v6.16).
#pragma once

#include <cstdint>

#include "core/lazy_array.hpp"
#include "core/page_pool.hpp"
#include "core/spte_ref_lists.hpp"

namespace mmu {

class ParentLists {
 public:
  // For every page that the pool can ever hold. kOutOfMemory where the host
  // refuses the address space, an eighth of the pool's.
  static Result<ParentLists> create(const PagePool& pool) {
    auto heads = LazyArray<ListHead>::create(pool.limit() / kGranule);
    if (!heads) return heads.error();
    ParentLists lists;
    lists.heads_ = std::move(heads.value());
    return lists;
  }

  // From here on this many add() in a row cannot fail. Where memory runs out,
  // this and add() leave everything as it was.
  void reserve(std::size_t adds) { lists_.reserve(adds); }

  // The links that led to the page before.
  std::uint32_t add(PageId page, SpteRef parent) {
    return lists_.add(heads_[page], parent);
  }
  // False if there is no such link.
  bool remove(PageId page, SpteRef parent) noexcept {
    return lists_.remove(heads_[page], parent);
  }
  // For a page that goes back to the pool.
  void clear(PageId page) noexcept { lists_.clear(heads_[page]); }

  std::uint32_t count(PageId page) const noexcept {
    return lists_.count(heads_[page]);
  }
  // Calls visit(SpteRef) for every link. visit may remove that link from the
  // list, and no other.
  template <class Visit>
  void for_each(PageId page, Visit visit) const {
    lists_.for_each(heads_[page], visit);
  }

  // Nodes of lists with more than one link.
  std::size_t nodes() const noexcept { return lists_.nodes(); }

 private:
  ParentLists() = default;

  LazyArray<ListHead> heads_;  // by PageId
  SpteRefLists lists_;
};

}  // namespace mmu
