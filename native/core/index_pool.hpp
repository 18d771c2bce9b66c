// Nodes of one kind, named by 32-bit numbers and handed out again when they
// come back.
//
// For chains: a node's `next` is its owner's while it is out. A reference to a
// node lasts until the next take().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mmu {

template <class Node>
class IndexPool {
 public:
  // The number of no node.
  static constexpr std::uint32_t kNone = 0;

  // From here on this many take() in a row cannot fail. Only this and take()
  // may: where memory runs out they leave everything as it was.
  void reserve(std::size_t count) {
    if (spare_ + nodes_.capacity() - nodes_.size() >= count) return;
    const std::size_t least = nodes_.size() + count;
    nodes_.reserve(std::max(least, 2 * nodes_.capacity()));
  }

  std::uint32_t take(const Node& node) {
    if (free_ == kNone) {
      nodes_.push_back(node);
      return static_cast<std::uint32_t>(nodes_.size());
    }
    const std::uint32_t number = free_;
    free_ = (*this)[number].next;
    --spare_;
    (*this)[number] = node;
    return number;
  }
  void give(std::uint32_t number) noexcept {
    (*this)[number].next = free_;
    free_ = number;
    ++spare_;
  }

  Node& operator[](std::uint32_t number) noexcept { return nodes_[number - 1]; }
  const Node& operator[](std::uint32_t number) const noexcept {
    return nodes_[number - 1];
  }

  // Nodes that are out.
  std::size_t live() const noexcept { return nodes_.size() - spare_; }

 private:
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
  std::size_t spare_ = 0;
};

}  // namespace mmu
