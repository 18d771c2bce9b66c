// What each vCPU remembers of earlier walks: leaves, by page size, and links.
//
// An entry is found by the frame as issued, the root, and the incarnation of
// the root, so that a root that was dropped takes its entries with it without
// a flush: nobody can ask for them any more, and LRU wears them out. What an
// entry's rights allow, and whether it should still be there, is the caller's
// affair.
//
// A flush of everything is a *request* to each vCPU, which serves it before it
// next looks at its TLB: posting it is one counter, however many vCPUs and
// entries there are, and serving it moves the vCPU to its next epoch, in which
// no entry of an earlier one exists. Until then the vCPU makes no access, so
// an entry of a vCPU with a request outstanding is not there, for whoever asks.
// KVM: KVM_REQ_TLB_FLUSH, kvm_vcpu_flush_tlb_all() (v6.16).
//
// Law: the entries in use are those whose tag is of the present epoch, a tag
// says what its entry's kind, gfn and root are, and no two of a set have these
// and the incarnation in common (test/native/tlb_test.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/lazy_array.hpp"
#include "core/tlb_entry.hpp"
#include "core/tlb_overdue.hpp"
#include "core/vcpu_set.hpp"

namespace mmu {

// A set: so many entries from the first on.
struct TlbWays {
  std::uint32_t first;
  std::uint32_t end;
};

// One vCPU's. Its memory belongs to the TlbSet that it is part of.
class Tlb {
 public:
  Tlb(const TlbLayout& layout, std::uint64_t* tags, TlbEntry* entries)
      : layout_(&layout), tags_(tags), entries_(entries) {}

  // The smallest that has the frame; null where none does. Does not count as a
  // use.
  TlbEntry* lookup(std::uint8_t root, std::uint32_t incarnation,
                   AliasedGfn gfn) noexcept {
    for (TlbKind kind = 0; kind < kLeafKinds; ++kind) {
      if (used_[kind] == 0) continue;
      TlbEntry* found = lookup(kind, root, incarnation, gfn);
      if (found != nullptr) return found;
    }
    return nullptr;
  }
  TlbEntry* lookup(TlbKind kind, std::uint8_t root, std::uint32_t incarnation,
                   AliasedGfn gfn) noexcept {
    if (used_[kind] == 0) return nullptr;
    const std::uint64_t wanted = tag_of(kind, root, gfn);
    const TlbWays ways = ways_of(kind, gfn);
    // Mostly there is nothing: bench/instructions.mjs, storm-zen4.
#pragma GCC unroll 8
    for (std::uint32_t at = ways.first; at < ways.end; ++at) {
      if (tags_[at] == wanted && entries_[at].incarnation == incarnation) {
        return &entries_[at];
      }
    }
    return nullptr;
  }
  // Makes it the most recently used of its set.
  void touch(TlbEntry& entry) noexcept { entry.last_use = ++clock_; }

  // Puts the entry in place of the one with the same kind, gfn, root and
  // incarnation, of an unused one, or of the least recently used of its set.
  // It counts as used now.
  TlbEntry& insert(const TlbEntry& entry) noexcept;
  // The same of an entry that is known not to be there.
  TlbEntry& insert_absent(const TlbEntry& entry) noexcept;
  // The largest size that an entry of such a leaf can have.
  TlbKind kind_for(Level leaf) const noexcept {
    TlbKind kind = leaf_kind(leaf);
    while (layout_->places[kind].sets == 0) --kind;
    return kind;
  }
  bool keeps_links() const noexcept { return layout_->keeps_links; }
  bool keeps_links(Level level) const noexcept {
    return layout_->places[link_kind(level)].sets != 0;
  }

  void remove(TlbEntry& entry) noexcept {
    forgive(entry);
    tags_[&entry - entries_] = kUnused;
    --used_[entry.kind];
    if (entry.is_part()) --parts_[entry.level];
  }
  // A flush of its own.
  void flush_all() noexcept;
  // Of every root and incarnation, whatever has a frame of the range, or is a
  // part of a leaf that has one. Intel SDM vol. 3, 4.10.4.1, on INVLPG and
  // pages of which there are several entries.
  void flush_range(AliasedRange range) noexcept;

  // Calls visit(entry) for every entry that has a frame of the range, of every
  // kind, root and incarnation; visit may remove that entry. Looks at no more
  // sets than the range has pages of that size.
  template <class Visit>
  void for_each_in(AliasedRange range, Visit visit) {
    if (range.empty()) return;
    for (TlbKind kind = 0; kind < kTlbKinds; ++kind) {
      if (used_[kind] != 0) for_each_of(kind, range, visit);
    }
  }
  template <class Visit>
  void for_each(Visit visit) {
    for_each_in(kAllIssued, visit);
  }

  // These frames of the entry should have gone with a flush that is over.
  void owe(TlbEntry& entry, AliasedRange frames) {
    entry.overdue = true;
    if (entry.kind != 0) overdue_.add(index_of(entry), frames);
  }
  // Whether this frame of it should have. If so, it is all forgiven.
  bool settle(TlbEntry& entry, AliasedGfn issued) noexcept {
    if (!entry.overdue || !is_overdue(entry, issued)) return false;
    forgive(entry);
    return true;
  }
  // visit(AliasedRange) for what the entry owes.
  template <class Visit>
  void each_owed(const TlbEntry& entry, Visit visit) const {
    if (!entry.overdue) return;
    if (entry.kind == 0) return visit(entry.frames());
    overdue_.each(index_of(entry), visit);
  }

  unsigned used() const noexcept {
    unsigned sum = 0;
    for (const unsigned used : used_) sum += used;
    return sum;
  }

 private:
  friend class TlbSet;

  // A tag: frame number of its size, kind, root, epoch. Epochs begin at 1.
  static constexpr std::uint64_t kUnused = 0;
  static constexpr unsigned kEpochBits = 20;
  static constexpr unsigned kRootShift = kEpochBits;
  static constexpr unsigned kKindShift = kRootShift + 1;
  static constexpr unsigned kFrameShift = kKindShift + 3;
  static constexpr std::uint64_t kEpochMask = bit(kEpochBits) - 1;

  std::uint64_t tag_of(TlbKind kind, std::uint8_t root, AliasedGfn gfn) const {
    return gfn.value >> layout_->places[kind].shift << kFrameShift |
           std::uint64_t{kind} << kKindShift |
           std::uint64_t{root} << kRootShift | epoch_;
  }
  bool is_used(std::uint64_t tag) const { return (tag & kEpochMask) == epoch_; }
  static constexpr TlbKind kind_in(std::uint64_t tag) {
    return static_cast<TlbKind>(tag >> kKindShift & 7);
  }
  // The tag has it too, and an entry is a cache line further on.
  AliasedRange frames_in(std::uint64_t tag, TlbKind kind) const {
    const std::uint64_t page = tag >> kFrameShift;
    const unsigned shift = layout_->places[kind].shift;
    return {{page << shift}, {(page + 1) << shift}};
  }
  TlbWays ways_of(TlbKind kind, AliasedGfn gfn) const noexcept {
    const TlbPlaces& places = layout_->places[kind];
    const std::uint64_t page = gfn.value >> places.shift;
    const TlbPlaces::Part& first = places.parts[0];
    if (places.mask != 0) [[likely]] {
      const auto set = static_cast<std::uint32_t>(page & places.mask);
      const std::uint32_t at = first.first + set * first.ways;
      return {at, at + first.ways};
    }
    // Of many links that could be kept, few are.
    if (is_link_kind(kind)) return {first.first, first.first + tops_[kind]};
    return ways_of(places, static_cast<std::uint32_t>(page % places.sets));
  }
  static TlbWays ways_of(const TlbPlaces& places, std::uint32_t set) noexcept;

  template <class Visit>
  void for_each_of(TlbKind kind, AliasedRange range, Visit& visit) {
    const unsigned shift = layout_->places[kind].shift;
    const std::uint64_t first = range.start.value >> shift;
    const std::uint64_t last = (range.end.value - 1) >> shift;
    const std::uint64_t width =
        std::min<std::uint64_t>(last - first + 1, layout_->places[kind].sets);
    unsigned unseen = used_[kind];
    for (std::uint64_t i = 0; i < width && unseen != 0; ++i) {
      // Any so many pages in a row lie in as many different sets.
      const TlbWays ways = ways_of(kind, {(first + i) << shift});
      for (std::uint32_t at = ways.first; at < ways.end; ++at) {
        const std::uint64_t tag = tags_[at];
        if (!is_used(tag) || kind_in(tag) != kind) continue;
        --unseen;
        if (range.overlaps(frames_in(tag, kind))) visit(entries_[at]);
      }
    }
  }

  TlbEntry& put(TlbEntry& place, const TlbEntry& entry) noexcept;
  TlbEntry& victim_of(TlbKind kind, AliasedGfn gfn) noexcept;
  std::uint32_t index_of(const TlbEntry& entry) const {
    return static_cast<std::uint32_t>(&entry - entries_);
  }
  bool is_overdue(const TlbEntry& entry, AliasedGfn issued) const noexcept {
    return entry.kind == 0 || overdue_.has(index_of(entry), issued);
  }
  void forgive(TlbEntry& entry) noexcept {
    if (!entry.overdue) return;
    entry.overdue = false;
    if (entry.kind != 0) overdue_.drop(index_of(entry));
  }

  const TlbLayout* layout_;
  // Apart from the entries: a set's tags fill two cache lines, not six.
  std::uint64_t* tags_;
  TlbEntry* entries_;
  std::uint64_t epoch_ = 1;
  std::uint64_t served_ = 0;  // requests, as TlbSet counts them
  std::uint64_t clock_ = 0;
  std::array<unsigned, kTlbKinds> used_{};
  // Of links: how many of the first have been used in this epoch.
  std::array<std::uint8_t, kTlbKinds> tops_{};
  // Entries that are parts of leaves of that level.
  std::array<unsigned, 4> parts_{};
  TlbOverdue overdue_;
};

// Those of all vCPUs.
class TlbSet {
 public:
  // kConfig for a shape of no sense; kOutOfMemory where the host refuses.
  static Result<TlbSet> create(const TlbShape& shape, unsigned vcpus);
  static Result<TlbSet> create(TlbGeometry geometry, unsigned vcpus) {
    return create(TlbShape{.arrays = {geometry}}, vcpus);
  }
  // One more vCPU's.
  std::optional<Error> add(unsigned vcpus = 1);

  // As the vCPU finds it when it runs: what was asked of it has been served.
  Tlb& operator[](unsigned vcpu) noexcept {
    Tlb& tlb = tlbs_[vcpu];
    if (tlb.served_ != requests_) [[unlikely]]
      serve(vcpu);
    return tlb;
  }
  unsigned vcpus() const noexcept {
    return static_cast<unsigned>(tlbs_.size());
  }

  // Asks every vCPU for a flush of all that it has.
  void request_flush() noexcept {
    ++requests_;
    have_served_.clear();
  }
  // On every vCPU, at once.
  void flush_range(AliasedRange range) noexcept {
    for_each_tlb([&](Tlb& tlb) { tlb.flush_range(range); });
  }
  // visit(tlb) for every vCPU that has no request to serve yet. Of one that
  // has, nothing is there.
  template <class Visit>
  void for_each_tlb(Visit visit) {
    have_served_.for_each([&](unsigned vcpu) { visit(tlbs_[vcpu]); });
  }
  template <class Visit>
  void for_each_tlb_of(unsigned vcpu, Visit visit) {
    if (tlbs_[vcpu].served_ == requests_) visit(tlbs_[vcpu]);
  }
  // visit(entry), as Tlb's, on one vCPU after the other.
  template <class Visit>
  void for_each_in(AliasedRange range, Visit visit) {
    for_each_tlb([&](Tlb& tlb) { tlb.for_each_in(range, visit); });
  }
  template <class Visit>
  void for_each(Visit visit) {
    for_each_tlb([&](Tlb& tlb) { tlb.for_each(visit); });
  }

 private:
  explicit TlbSet(const TlbShape& shape)
      : layout_(std::make_unique<TlbLayout>(shape)) {}
  void serve(unsigned vcpu) noexcept;

  // Of vCPUs that were made together.
  struct Block {
    LazyArray<std::uint64_t> tags;
    LazyArray<TlbEntry> entries;
  };
  std::unique_ptr<TlbLayout> layout_;
  std::vector<Block> blocks_;
  std::vector<Tlb> tlbs_;
  std::uint64_t requests_ = 0;
  // Of vCPUs: what was asked of them all. The others have nothing.
  VcpuSet have_served_;
};

}  // namespace mmu
