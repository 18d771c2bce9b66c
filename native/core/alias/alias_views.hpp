// Where a range of canonical frames can be reached.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/address.hpp"

namespace mmu {

// The trees of a VM. The private one is KVM's mirror root, or the private root
// of the patches before it.
enum class RootId : std::uint8_t { kDirect, kPrivate };
inline constexpr unsigned kRootCount = 2;

// A way to a canonical range: a tree, and the frames that lead there in it.
struct View {
  RootId root = RootId::kDirect;
  AliasedRange range{};
  std::uint64_t offset = 0;  // aliased minus canonical
  std::uint8_t alias = 0;
  // Leads to private memory only: nothing that speaks of host memory or dirty
  // logs looks here.
  bool is_private = false;
  friend constexpr bool operator==(View, View) = default;
};

// The views of one canonical range. With at most four alias bits there are at
// most sixteen, so the list has a fixed size and nobody allocates.
class Views {
 public:
  static constexpr std::size_t kMost = 16;

  Views() {}
  Views(const Views& other) { *this = other; }
  Views& operator=(const Views& other) {
    std::copy(other.begin(), other.end(), items_.list);
    used_ = other.used_;
    return *this;
  }

  void add(const View& view) { items_.list[used_++] = view; }
  std::size_t size() const { return used_; }
  const View* begin() const { return items_.list; }
  const View* end() const { return items_.list + used_; }

 private:
  // Most ranges have one view or two: the others are not even cleared.
  union Items {
    Items() {}
    View list[kMost];
  } items_;
  std::size_t used_ = 0;
};

}  // namespace mmu
