// Lists of entries of tables, each behind one 64-bit head that its owner keeps.
//
// Most lists have one member, and that one is in the head itself; a head of
// zero is the empty list, so heads need no initialising. More members lie in
// nodes of three, newest node first. Every node but the first is full, so a
// member is added without a walk, and taken out by moving the newest one into
// its place. A list has no order that anybody could rely on, but the same
// calls always leave the same one.
//
// KVM: struct kvm_rmap_head, struct pte_list_desc (v6.16).
#pragma once

#include <array>
#include <cstdint>

#include "core/index_pool.hpp"
#include "core/table_page.hpp"

namespace mmu {

// Entry `index` of a table.
struct SpteRef {
  PageId table = kNoPage;
  std::uint16_t index = 0;

  friend constexpr bool operator==(SpteRef, SpteRef) = default;
};

// A list, opaque; 0 is the empty one.
using ListHead = std::uint64_t;

class SpteRefLists {
 public:
  // From here on this many add() in a row cannot fail. Where memory runs out,
  // this and add() leave everything as it was.
  void reserve(std::size_t adds) { nodes_.reserve(adds); }

  // The members that the list had before.
  std::uint32_t add(ListHead& head, SpteRef ref);
  // False if it is no member. Of several equal ones, takes out one.
  bool remove(ListHead& head, SpteRef ref) noexcept;
  void clear(ListHead& head) noexcept;

  std::uint32_t count(ListHead head) const noexcept {
    if (!is_chain(head)) return head != 0;
    return nodes_[first_of(head)].total;
  }

  // Calls visit(SpteRef) for every member that the list has now, newest node
  // first. visit may take out the member that it is given and change other
  // lists, but no other member of this one.
  template <class Visit>
  void for_each(ListHead head, Visit visit) const {
    if (!is_chain(head)) {
      if (head != 0) visit(from_head(head));
      return;
    }
    // The next member is read before visit() is called: taking out the current
    // one moves members that were visited, and may end the chain.
    std::uint32_t node = first_of(head);
    std::uint32_t left = nodes_[node].total;
    unsigned slot = used_in_first(left) - 1;
    SpteRef ref = nodes_[node].refs[slot];
    for (; left > 1; --left) {
      const SpteRef current = ref;
      if (slot == 0) node = nodes_[node].next;
      slot = slot == 0 ? kRefs - 1 : slot - 1;
      ref = nodes_[node].refs[slot];
      visit(current);
    }
    visit(ref);
  }

  // Nodes in use, and those that a list of so many members takes, for who wants
  // to see that none leaks.
  std::size_t nodes() const noexcept { return nodes_.live(); }
  static constexpr std::size_t nodes_for(std::size_t members) {
    return members < 2 ? 0 : (members + kRefs - 1) / kRefs;
  }

 private:
  static constexpr unsigned kRefs = 3;
  static constexpr ListHead kChain = bit(63);

  struct Node {
    std::uint32_t next;
    std::uint32_t total;  // members of the list; kept in its first node
    std::array<SpteRef, kRefs> refs;
  };
  static_assert(sizeof(Node) == 32);

  static constexpr bool is_chain(ListHead head) { return head & kChain; }
  static constexpr std::uint32_t first_of(ListHead head) {
    return static_cast<std::uint32_t>(head);
  }
  static constexpr ListHead chain(std::uint32_t first) {
    return kChain | first;
  }
  // Bit 62 tells a member from no member, whatever its table is called.
  static constexpr ListHead to_head(SpteRef ref) {
    return bit(62) | std::uint64_t{ref.table} << 16 | ref.index;
  }
  static constexpr SpteRef from_head(ListHead head) {
    return {static_cast<PageId>(head >> 16), static_cast<std::uint16_t>(head)};
  }
  static constexpr unsigned used_in_first(std::uint32_t total) {
    return (total - 1) % kRefs + 1;
  }
  SpteRef* find(std::uint32_t first, SpteRef ref) noexcept;
  void drop_newest(ListHead& head) noexcept;

  IndexPool<Node> nodes_;
};

}  // namespace mmu
