// From the frames of one memslot to the leaves that map them.
//
// One list a frame and level: the tables are indexed by aliased frames, so one
// canonical frame may have many leaves. A slot of 8 TiB reserves 16 GiB of
// address space and pays for the parts that are mapped; a bitmap of the lists
// in use makes walks over the rest cheap. It keeps references and never looks
// at an entry: that a list is true is its owner's law.
//
// KVM: kvm_arch_memory_slot.rmap, rmap_add(), slot_rmap_walk_init() (v6.16).
#pragma once

#include <array>
#include <cstdint>

#include "core/address.hpp"
#include "core/lazy_array.hpp"
#include "core/sparse_bits.hpp"
#include "core/spte_ref_lists.hpp"

namespace mmu {

class ReverseMap {
 public:
  // For the canonical frames of a slot. kOutOfMemory where the host refuses.
  static Result<ReverseMap> create(GfnRange slot);

  // Which list of a level the frame's is; KVM: gfn_to_index(). Frames that one
  // leaf of the level maps share it, also where the slot starts amid them.
  std::uint64_t index_of(Gfn gfn, Level level) const noexcept {
    return (gfn.value >> index_shift(level)) - part(level).first;
  }
  // Lists of a level.
  std::uint64_t size(Level level) const noexcept { return part(level).size; }

  // From here on this many add() in a row cannot fail. Where memory runs out,
  // this and add() leave everything as it was.
  void reserve(std::size_t adds) { lists_.reserve(adds); }

  // The leaves that the list had before; KVM's max_mmu_rmap_size is the most
  // of them.
  std::uint32_t add(Level level, std::uint64_t index, SpteRef leaf) {
    ListHead& head = part(level).heads[index];
    const std::uint32_t before = lists_.add(head, leaf);
    if (before == 0) part(level).used.set(index);
    return before;
  }
  // False if the list has no such leaf.
  bool remove(Level level, std::uint64_t index, SpteRef leaf) noexcept {
    ListHead& head = part(level).heads[index];
    const bool found = lists_.remove(head, leaf);
    if (found && head == 0) part(level).used.clear(index);
    return found;
  }
  std::uint32_t count(Level level, std::uint64_t index) const noexcept {
    return lists_.count(part(level).heads[index]);
  }

  // The first list of [from, end) that is not empty; `end` if all are.
  std::uint64_t next_used(Level level, std::uint64_t from,
                          std::uint64_t end) const noexcept {
    return part(level).used.next(from, end);
  }

  // Calls visit(SpteRef) for every leaf that the list has now. visit may
  // remove that leaf from the list, and no other.
  template <class Visit>
  void for_each(Level level, std::uint64_t index, Visit visit) const {
    lists_.for_each(part(level).heads[index], visit);
  }
  // Calls visit(index, SpteRef) in the order of frames for every leaf of the
  // level that maps one of these frames of the slot. The same rule holds.
  template <class Visit>
  void for_each_in(Level level, GfnRange frames, Visit visit) const {
    if (frames.empty()) return;
    const std::uint64_t end = index_of({frames.end.value - 1}, level) + 1;
    std::uint64_t at = next_used(level, index_of(frames.start, level), end);
    for (; at < end; at = next_used(level, at + 1, end)) {
      for_each(level, at, [&](SpteRef leaf) { visit(at, leaf); });
    }
  }

  // Nodes of lists with more than one leaf.
  std::size_t nodes() const noexcept { return lists_.nodes(); }

 private:
  static constexpr unsigned kLevels = number_of(kMaxHugeLevel);

  // The lists of one level, the first of them for the frames `first` times
  // pages_per(level) and on.
  struct Part {
    ListHead* heads = nullptr;
    SparseBits used;
    std::uint64_t first = 0;
    std::uint64_t size = 0;
  };

  ReverseMap() = default;
  Part& part(Level level) noexcept { return parts_[number_of(level) - 1]; }
  const Part& part(Level level) const noexcept {
    return parts_[number_of(level) - 1];
  }

  LazyArray<std::uint64_t> memory_;  // of all heads and bitmaps
  std::array<Part, kLevels> parts_;
  SpteRefLists lists_;
};

}  // namespace mmu
