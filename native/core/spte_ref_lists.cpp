#include "core/spte_ref_lists.hpp"

namespace mmu {

std::uint32_t SpteRefLists::add(ListHead& head, SpteRef ref) {
  if (head == 0) {
    head = to_head(ref);
    return 0;
  }
  if (!is_chain(head)) {
    head = chain(nodes_.take({0, 2, {from_head(head), ref}}));
    return 1;
  }
  Node& first = nodes_[first_of(head)];
  const std::uint32_t before = first.total;
  const unsigned used = used_in_first(before);
  if (used == kRefs) {
    head = chain(nodes_.take({first_of(head), before + 1, {ref}}));
  } else {
    first.refs[used] = ref;
    ++first.total;
  }
  return before;
}

// In the order of for_each(): of equal members it finds one that was visited,
// if the call comes from there.
SpteRef* SpteRefLists::find(std::uint32_t first, SpteRef ref) noexcept {
  unsigned used = used_in_first(nodes_[first].total);
  for (std::uint32_t at = first; at != IndexPool<Node>::kNone;
       at = nodes_[at].next) {
    for (unsigned slot = used; slot-- > 0;) {
      if (nodes_[at].refs[slot] == ref) return &nodes_[at].refs[slot];
    }
    used = kRefs;
  }
  return nullptr;
}

// A list of one member goes back into its head.
void SpteRefLists::drop_newest(ListHead& head) noexcept {
  const std::uint32_t number = first_of(head);
  const Node& first = nodes_[number];
  const std::uint32_t left = first.total - 1;
  if (left == 1) {
    head = to_head(first.refs[0]);
    nodes_.give(number);
  } else if (used_in_first(first.total) == 1) {
    nodes_[first.next].total = left;
    head = chain(first.next);
    nodes_.give(number);
  } else {
    nodes_[number].total = left;
  }
}

bool SpteRefLists::remove(ListHead& head, SpteRef ref) noexcept {
  if (!is_chain(head)) {
    if (head != to_head(ref)) return false;
    head = 0;
    return true;
  }
  Node& first = nodes_[first_of(head)];
  SpteRef* place = find(first_of(head), ref);
  if (place == nullptr) return false;
  *place = first.refs[used_in_first(first.total) - 1];
  drop_newest(head);
  return true;
}

void SpteRefLists::clear(ListHead& head) noexcept {
  std::uint32_t at = is_chain(head) ? first_of(head) : 0;
  while (at != 0) {
    const std::uint32_t next = nodes_[at].next;
    nodes_.give(at);
    at = next;
  }
  head = 0;
}

}  // namespace mmu
