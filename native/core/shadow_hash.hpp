// Which table page shadows a frame at a level in a root, by hash.
//
// As many buckets as KVM has, hashed as KVM does it, by the frame alone, and
// new pages at the front of their chain: the longest walk past pages of other
// frames is one of KVM's statistics, and comes out the same. What is in a page
// it does not know.
//
// KVM: kvm_arch.mmu_page_hash, kvm_page_table_hashfn(),
// kvm_mmu_find_shadow_page() (v6.16).
#pragma once

#include <cstdint>
#include <vector>

#include "core/address.hpp"
#include "core/index_pool.hpp"
#include "core/table_page.hpp"

namespace mmu {

// What makes a page the wanted one.
struct ShadowKey {
  AliasedGfn gfn;  // first frame that the page covers, as its owner keys it
  Level level = Level::kNone;
  std::uint8_t root = 0;

  friend constexpr bool operator==(ShadowKey, ShadowKey) = default;
};

class ShadowHash {
 public:
  static constexpr unsigned kBucketBits = 12;

  ShadowHash() : buckets_(bit(kBucketBits)) {}

  // The page, or kNoPage. Counts the pages of other frames that it passes.
  PageId find(ShadowKey key) noexcept;

  // The same for whoever only looks: counts nothing.
  PageId look_up(ShadowKey key) const noexcept;

  // From here on this many insert() in a row cannot fail. Where memory runs
  // out, this and insert() leave everything as it was.
  void reserve(std::size_t inserts) { nodes_.reserve(inserts); }
  // A key that is not there yet.
  void insert(ShadowKey key, PageId page);
  // The page that the key had, or kNoPage.
  PageId remove(ShadowKey key) noexcept;

  // Calls visit(ShadowKey, PageId) for every page, bucket by bucket. visit
  // changes nothing here.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t at : buckets_) {
      for (; at != Nodes::kNone; at = nodes_[at].next) {
        visit(nodes_[at].key, nodes_[at].page);
      }
    }
  }
  // Removes every page of a root and calls visit(ShadowKey, PageId) for it.
  template <class Visit>
  void remove_root(std::uint8_t root, Visit visit) {
    for (std::uint32_t& bucket : buckets_) {
      for (std::uint32_t* link = &bucket; *link != Nodes::kNone;) {
        const Node node = nodes_[*link];
        if (node.key.root != root) {
          link = &nodes_[*link].next;
          continue;
        }
        nodes_.give(*link);
        *link = node.next;
        visit(node.key, node.page);
      }
    }
  }

  std::size_t size() const noexcept { return nodes_.live(); }
  // Of all find() so far, the most pages of other frames that one passed; KVM:
  // max_mmu_page_hash_collisions.
  std::uint32_t max_collisions() const noexcept { return max_collisions_; }

 private:
  struct Node {
    ShadowKey key;
    PageId page;
    std::uint32_t next;
  };
  using Nodes = IndexPool<Node>;

  // The multiplier is 2^64 over the golden ratio squared, as in hash_64().
  static constexpr std::uint64_t bucket_of(AliasedGfn gfn) {
    return gfn.value * 0x61c8864680b583eb >> (64 - kBucketBits);
  }

  std::vector<std::uint32_t> buckets_;
  Nodes nodes_;
  std::uint32_t max_collisions_ = 0;
};

}  // namespace mmu
