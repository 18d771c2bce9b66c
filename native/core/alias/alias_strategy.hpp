// The questions that an alias strategy answers, and the list of strategies.
//
// An alias bit of a gpa chooses the way to a page and leaves the page the same
// (gfn_direct_bits in KVM, the SHARED bit in TDX, stolen bits in the patches
// before it). Only the files of this folder know which bits those are.
//
// Every answer has a default, and the default is right: separate tables for
// each alias, nothing shared, nothing missed. A strategy overrides what its
// source does otherwise, and says which law that breaks (alias_laws.hpp).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "core/alias/alias_space.hpp"
#include "core/alias/alias_traits.hpp"
#include "core/alias/alias_views.hpp"
#include "core/flush_plan.hpp"
#include "core/machine.hpp"

namespace mmu {

// Whose mappings an operation may take away.
enum class ZapCause : std::uint8_t {
  kRange,      // kvm_zap_gfn_range()
  kSlot,       // a slot is deleted or moved
  kHost,       // the host takes its memory back: MMU notifier
  kToPrivate,  // a page becomes private: its shared mapping goes
  kToShared,
};

// One VM's strategy. Three laws about frames make zaps, write protection and
// reports right for every strategy at once: a frame as issued is in one view
// of its canonical frame, and in one only; a view leads to nothing outside its
// range; ranges with no frame in common have no view in common.
class Alias {
 public:
  Alias(const AliasSpace& space, Flavour flavour)
      : space_(space), flavour_(flavour) {}
  virtual ~Alias() = default;

  const AliasSpace& space() const { return space_; }
  Flavour flavour() const { return flavour_; }

  // The frame without its alias bits: what reports and attributes speak of.
  virtual Gfn canonical(AliasedGfn issued) const;
  // The frame under which memslots and dirty logs know it.
  virtual Gfn slot_gfn(AliasedGfn issued) const;
  // KVM's table indexes.
  virtual AliasedGfn walk_gfn(AliasedGfn issued) const;
  // What KVM's shadow-page hash calls it (rmap flavour).
  virtual AliasedGfn key_gfn(AliasedGfn issued) const;
  virtual RootId root_of(AliasedGfn issued) const;
  // Where KVM looks for the mappings of a range of slot frames.
  virtual Views views(GfnRange range) const;
  // The views that an operation of this cause acts on.
  virtual Views zap_views(ZapCause cause, GfnRange range) const;
  // kAccess* bits that a leaf made through this alias may grant.
  virtual std::uint8_t permissions(AliasedGfn issued) const;
  // Whether an operation of this cause acts on the tables of a root.
  static bool acts_on(ZapCause cause, RootId root);
  // Whether an access through this alias meets one of KVM's own slots.
  virtual bool sees_internal_slot(AliasedGfn issued) const;
  // Which ranges to ask a provider to flush, and what if it fails.
  virtual FlushPlan flush_plan(const FlushRequest& request) const;
  // The frame whose memory type decides how large a page may be.
  virtual Gfn mtrr_gfn(AliasedGfn issued) const;
  virtual AliasTraits traits() const { return {}; }

  // Private memory, under the presets that have it.
  bool is_private(AliasedGfn issued) const {
    return space_.kind == PresetKind::kPrivateShared &&
           space_.alias_of(issued) == 0;
  }
  bool has_private_memory() const {
    return space_.kind == PresetKind::kPrivateShared;
  }

  // Bits of a gpa that an entry of the guest's own tables may carry to the page
  // it leads to, and that lead to no table.
  std::uint64_t stolen_bits() const;

  // Where hardware reaches a range of canonical frames, alias by alias.
  Views every_view(GfnRange range) const;

 private:
  AliasSpace space_;
  Flavour flavour_;
};

// A defect that the source of a strategy has, by its id, and where it shows.
struct AliasDefect {
  std::string_view id;
  bool tdp = true;
  bool rmap = true;
};

// What a strategy can be combined with, and what is wrong with it.
struct AliasSupport {
  bool tdp = true;
  bool rmap = true;
  bool attribute = true;
  bool private_shared = true;
  bool needs_alias_bits = true;  // false: the baseline
  bool refuses_provider = false;
  std::span<const AliasDefect> defects{};
  // Laws that the source breaks, by name (alias_laws.hpp).
  std::span<const std::string_view> breaks{};
};

template <class S>
concept AliasStrategy =
    std::derived_from<S, Alias> &&
    std::constructible_from<S, AliasSpace, Flavour> && requires {
      { S::kName } -> std::convertible_to<std::string_view>;
      { S::kSummary } -> std::convertible_to<std::string_view>;
      { S::kSupport } -> std::convertible_to<AliasSupport>;
    };

struct MachineSetup;
class PagePool;

// A strategy in the list. Linked in before main() by RegisterAlias; never
// freed, read-only from then on.
struct AliasEntry {
  std::string_view name;
  std::string_view summary;
  AliasSupport support;
  Result<std::unique_ptr<Machine>> (*make)(MachineSetup&&, PagePool&&);
  // The answers alone, for whoever wants to check them.
  std::unique_ptr<Alias> (*answers)(const AliasSpace&, Flavour);
  const AliasEntry* next;
};

const AliasEntry* alias_entries() noexcept;
const AliasEntry* find_alias(std::string_view name) noexcept;

namespace detail {
// Puts the entry at the front of the list and returns what was there.
const AliasEntry* enlist(const AliasEntry& entry) noexcept;
}  // namespace detail

}  // namespace mmu
