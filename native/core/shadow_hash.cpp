#include "core/shadow_hash.hpp"

#include <algorithm>

namespace mmu {

PageId ShadowHash::find(ShadowKey key) noexcept {
  std::uint32_t collisions = 0;
  std::uint32_t at = buckets_[bucket_of(key.gfn)];
  while (at != Nodes::kNone && nodes_[at].key != key) {
    collisions += nodes_[at].key.gfn != key.gfn;
    at = nodes_[at].next;
  }
  max_collisions_ = std::max(max_collisions_, collisions);
  return at == Nodes::kNone ? kNoPage : nodes_[at].page;
}

PageId ShadowHash::look_up(ShadowKey key) const noexcept {
  std::uint32_t at = buckets_[bucket_of(key.gfn)];
  while (at != Nodes::kNone && nodes_[at].key != key) at = nodes_[at].next;
  return at == Nodes::kNone ? kNoPage : nodes_[at].page;
}

void ShadowHash::insert(ShadowKey key, PageId page) {
  std::uint32_t& bucket = buckets_[bucket_of(key.gfn)];
  bucket = nodes_.take({key, page, bucket});
}

PageId ShadowHash::remove(ShadowKey key) noexcept {
  std::uint32_t* link = &buckets_[bucket_of(key.gfn)];
  while (*link != Nodes::kNone && nodes_[*link].key != key) {
    link = &nodes_[*link].next;
  }
  if (*link == Nodes::kNone) return kNoPage;
  const Node node = nodes_[*link];
  nodes_.give(*link);
  *link = node.next;
  return node.page;
}

}  // namespace mmu
