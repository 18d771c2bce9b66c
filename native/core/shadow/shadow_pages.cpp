#include "core/shadow/shadow_pages.hpp"

namespace mmu {

void ShadowPages::reserve(std::size_t pages) {
  nodes_.reserve(pages);
  if (buckets_.empty()) buckets_.resize(bit(kBucketBits), kNoShadow);
}

ShadowId ShadowPages::find(Gfn gfn, PageRole role) const noexcept {
  if (buckets_.empty()) return kNoShadow;
  ShadowId at = buckets_[bucket_of(gfn)];
  while (at != kNoShadow &&
         (nodes_[at].page.gfn != gfn || nodes_[at].page.role != role)) {
    at = nodes_[at].next;
  }
  return at;
}

ShadowId ShadowPages::make(Gfn gfn, PageRole role,
                           std::uint32_t born) noexcept {
  const ShadowId page = nodes_.take({{.gfn = gfn, .role = role, .born = born}});
  enlist(page);
  return page;
}

ShadowZap ShadowPages::zap(ShadowId page) noexcept {
  ShadowPage& at = nodes_[page].page;
  if (!at.is_invalid()) unlist(page);
  if (at.roots == 0) {
    nodes_.give(page);
    return ShadowZap::kFreed;
  }
  at.role = at.role.with(PageRole::kInvalid);
  return ShadowZap::kRoot;
}

void ShadowPages::enlist(ShadowId page) noexcept {
  Node& node = nodes_[page];
  ShadowId& bucket = buckets_[bucket_of(node.page.gfn)];
  node.next = bucket;
  bucket = page;
  node.older = youngest_;
  (youngest_ == kNoShadow ? oldest_ : nodes_[youngest_].younger) = page;
  youngest_ = page;
  tables_ += node.page.has_gptes();
}

void ShadowPages::unlist(ShadowId page) noexcept {
  Node& node = nodes_[page];
  ShadowId* link = &buckets_[bucket_of(node.page.gfn)];
  while (*link != page) link = &nodes_[*link].next;
  *link = node.next;
  (node.older == kNoShadow ? oldest_ : nodes_[node.older].younger) =
      node.younger;
  (node.younger == kNoShadow ? youngest_ : nodes_[node.younger].older) =
      node.older;
  node.next = node.older = node.younger = kNoShadow;
  tables_ -= node.page.has_gptes();
}

}  // namespace mmu
