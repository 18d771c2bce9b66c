// What the engine asks about alias bits, and the list of everyone who answers.
//
// Alias bits (KVM: gfn_direct_bits; TDX: the SHARED bit; early patches: stolen
// bits) are gpa bits that say how a page is reached, not which page it is. No
// file outside native/core/alias/ may test, set or clear one.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>

#include "core/address.hpp"

namespace mmu {

// The trees of a VM. Strategies with a second one add its name here.
enum class RootId : std::uint8_t { kDirect };

// One place where a canonical range can be reached: a tree, the frames that
// reach it there, and what separates the two numberings.
struct View {
  RootId root = RootId::kDirect;
  AliasedRange range{};
  std::uint64_t offset = 0;  // aliased minus canonical
  friend constexpr bool operator==(View, View) = default;
};

// Every view of one canonical range. Four alias bits is the most that any
// preset has, so sixteen always fit and no walk allocates.
class Views {
 public:
  constexpr void add(View view) { views_[count_++] = view; }
  constexpr const View* begin() const { return views_.data(); }
  constexpr const View* end() const { return views_.data() + count_; }

 private:
  std::array<View, 16> views_{};
  std::size_t count_ = 0;
};

// Laws, checked for every registered strategy by alias_laws_test.cpp:
//   an aliased frame lies in exactly one view of its canonical frame;
//   every frame of every view of r has its canonical frame in r;
//   views of disjoint canonical ranges are disjoint.
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
