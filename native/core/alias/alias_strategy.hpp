// The questions that an alias strategy answers, and the list of strategies.
//
// An alias bit of a gpa chooses the way to a page and leaves the page the same
// (gfn_direct_bits in KVM, the SHARED bit in TDX, stolen bits in the patches
// before it). Only the files of this folder know which bits those are.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>

#include "core/address.hpp"

namespace mmu {

// The trees of a VM; a strategy that keeps two names the other here.
enum class RootId : std::uint8_t { kDirect };

// A way to a canonical range: a tree, and the frames that lead there in it.
struct View {
  RootId root = RootId::kDirect;
  AliasedRange range{};
  std::uint64_t offset = 0;  // aliased minus canonical
  friend constexpr bool operator==(View, View) = default;
};

// The views of one canonical range. With at most four alias bits there are at
// most sixteen, so the list has a fixed size and nobody allocates.
class Views {
 public:
  static constexpr std::size_t kMost = 16;

  constexpr void add(const View& view) { items_[used_++] = view; }
  constexpr auto begin() const { return items_.begin(); }
  constexpr auto end() const { return items_.begin() + used_; }

 private:
  std::array<View, kMost> items_{};
  std::size_t used_ = 0;
};

// Three laws make zaps, write protection and reports right for every strategy
// at once; test/native/alias_laws_test.cpp tries them on each. A frame as
// issued is in one view of its canonical frame, and in one only. A view leads
// to nothing outside its range. Ranges with no frame in common have no view in
// common.
template <class S>
concept AliasStrategy =
    std::default_initializable<S> &&
    requires(const S s, AliasedGfn aliased, GfnRange range) {
      { S::kName } -> std::convertible_to<std::string_view>;
      { S::kSummary } -> std::convertible_to<std::string_view>;
      { s.canonical(aliased) } -> std::same_as<Gfn>;
      { s.walk_gfn(aliased) } -> std::same_as<AliasedGfn>;
      { s.root_of(aliased) } -> std::same_as<RootId>;
      { s.views(range) } -> std::same_as<Views>;
    };

class Machine;
struct MachineConfig;
class PagePool;

// A strategy's answers with its type erased, for whoever wants to check them.
struct AliasAnswers {
  Gfn (*canonical)(AliasedGfn);
  AliasedGfn (*walk_gfn)(AliasedGfn);
  RootId (*root_of)(AliasedGfn);
  Views (*views)(GfnRange);
};

// A strategy in the list. Linked in before main() by RegisterAlias; never
// freed, read-only from then on.
struct AliasEntry {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Machine> (*make)(const MachineConfig&, PagePool&&);
  AliasAnswers answers;
  const AliasEntry* next;
};

const AliasEntry* alias_entries() noexcept;

namespace detail {
// Puts the entry at the front of the list and returns what was there.
const AliasEntry* enlist(const AliasEntry& entry) noexcept;
}  // namespace detail

}  // namespace mmu
