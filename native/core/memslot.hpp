// Memslots: which canonical frames are backed by host memory, and how.
//
// A slot set belongs to one address space, is sorted by frame, and carries the
// generation that MMIO entries are checked against. This file knows nothing of
// page tables: what a change does to mappings is memslot_ops.hpp's business.
//
// KVM: struct kvm_memory_slot, struct kvm_memslots, gfn_to_memslot() (v6.16).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/address.hpp"
#include "core/alias/alias_space.hpp"
#include "core/dirty_bitmap.hpp"
#include "core/kernel_profile.hpp"
#include "core/machine.hpp"
#include "core/reverse_map.hpp"
#include "core/slot_index.hpp"
#include "core/slots_by_hva.hpp"
#include "core/write_track.hpp"

namespace mmu {

// What finding it and mapping a page of it read comes first, on one cache line.
struct alignas(kGranule) Memslot {
  std::uint32_t id = 0;
  std::uint32_t as_id = 0;
  GfnRange range;
  Hva hva;
  std::uint32_t flags = 0;
  Level backing = Level::k4K;
  // The host's frame of a frame of the slot: this added, then masked.
  std::uint64_t pfn_offset = 0;
  std::uint64_t pfn_mask = 0;
  // Something is to be looked up, frame by frame, for what it maps: see
  // host_ops.hpp. Such a slot is never the one that was found last, so the
  // short ways through a fault are not for it.
  bool needs_care = false;
  // The guest_memfd that it is bound to, and from which byte on.
  std::int32_t memfd = MemslotRegion::kNoFile;
  std::uint64_t memfd_offset = 0;
  std::unique_ptr<DirtyBitmap> dirty;
  // Where its leaves are; only in the rmap flavour.
  std::unique_ptr<ReverseMap> rmap;
  // Slots over the same host memory at this one's aliases, and whether this is
  // one of them (duplicate-slots). Whatever happens to a slot then happens to
  // its twins; only the slot itself is known by its id.
  std::vector<Memslot*> twins;
  bool is_twin = false;
  // The host has something to say of its memory: `pfn_of` and `backing` hold
  // only where it has not.
  bool has_host_mappings = false;
  WriteTrack tracked;

  void note_needs() { needs_care = has_host_mappings || !tracked.empty(); }

  // One of KVM's own: TSS, identity map, APIC access page.
  bool is_internal() const;
  bool is_readonly() const { return flags & MemslotRegion::kReadonly; }
  bool has_memfd() const { return flags & MemslotRegion::kGuestMemfd; }
  // KVM: kvm_slot_dirty_track_enabled().
  bool is_logged() const { return flags & MemslotRegion::kLogDirty; }

  Hva hva_of(Gfn gfn) const {
    return {hva.value + ((gfn.value - range.start.value) << kPageShift)};
  }
  // In one comparison: on which side of it another frame lies, nothing guesses.
  bool holds(Gfn gfn) const {
    return gfn.value - range.start.value < range.size();
  }
  Pfn pfn_of(Gfn gfn) const { return {(gfn.value + pfn_offset) & pfn_mask}; }

  void mark_dirty(Gfn gfn) {
    if (dirty) dirty->set(gfn.value - range.start.value);
  }
  // Whether its log, which it has, holds the frame.
  bool has_dirty(Gfn gfn) const {
    return dirty->has(gfn.value - range.start.value);
  }
};

// The 16-bit halves of the `slot` field of KVM_SET_USER_MEMORY_REGION.
constexpr std::uint32_t slot_id(std::uint32_t slot) { return slot & 0xffff; }
constexpr std::uint32_t slot_as(std::uint32_t slot) { return slot >> 16; }

inline constexpr std::uint32_t kUserMemslots = 32764;
// The second of KVM's own; KVM: APIC_ACCESS_PAGE_PRIVATE_MEMSLOT.
inline constexpr std::uint32_t kApicAccessMemslot = kUserMemslots + 1;
inline constexpr std::uint64_t kMaxMemslotPages = 0x7fffffff;

inline bool Memslot::is_internal() const { return id >= kUserMemslots; }

class MemslotSet {
 public:
  // `spaces`: how many sets the VM has. Set i starts at generation i and steps
  // by their number, so that no two sets ever have one in common.
  MemslotSet(unsigned as_id, unsigned spaces, unsigned mmio_bits)
      : generation_(as_id), spaces_(spaces), mmio_mask_(bit(mmio_bits) - 1) {}

  // Null where no slot backs the frame. Remembers the slot it found, unless it
  // is internal, as those are not for every alias, or needs care.
  Memslot* find(Gfn gfn) const {
    Memslot* slot = index_.is_built() ? index_.find(gfn) : search(gfn);
    if (slot != nullptr && remembers(*slot)) last_ = slot;
    return slot;
  }
  // The slot that was found last, or null.
  Memslot* last_found() const { return last_; }
  // The slot that was found last, if it backs this frame too.
  Memslot* find_in_last(Gfn gfn) const {
    return last_ != nullptr && last_->holds(gfn) ? last_ : nullptr;
  }
  Memslot* by_id(std::uint32_t id) const {
    return id < by_id_.size() ? by_id_[id] : nullptr;
  }
  // Whatever changes what a slot needs says so.
  void forget_last() const { last_ = nullptr; }
  // Whether a slot that was found may be remembered at all.
  void remember(bool may) {
    remembers_ = may;
    last_ = nullptr;
  }
  // A slot other than `self` that overlaps the range, or null.
  const Memslot* overlapping(GfnRange range, const Memslot* self) const;

  // From here on so many insert() cannot fail, of ids up to `id`.
  void reserve(std::size_t slots, std::uint32_t id);
  void insert(std::unique_ptr<Memslot> slot);
  std::unique_ptr<Memslot> take(Memslot* slot);

  // In frame order.
  const std::vector<std::unique_ptr<Memslot>>& slots() const { return slots_; }
  // Those that overlap the range, in frame order.
  std::span<const std::unique_ptr<Memslot>> meeting(GfnRange range) const;
  // Those that stand on these pages of the host, in frame order; until the next
  // such question.
  std::span<Memslot* const> on(HostRange pages) const {
    return by_hva_.on(pages);
  }
  // The user's slots in id order, as ioctls on all slots go.
  std::vector<Memslot*> in_id_order() const;
  // Those of them that overlap the range.
  std::vector<Memslot*> in_id_order(GfnRange range) const;

  std::uint64_t generation() const { return generation_; }
  // The part of it that MMIO entries carry.
  std::uint64_t mmio_generation() const { return generation_ & mmio_mask_; }
  // KVM: kvm_swap_active_memslots(). True if the part that MMIO entries hold
  // has wrapped, so that entries of an old round could look current.
  bool advance_generation();

 private:
  bool remembers(const Memslot& slot) const {
    return remembers_ && !slot.is_internal() && !slot.needs_care;
  }
  Memslot* search(Gfn gfn) const;

  std::vector<std::unique_ptr<Memslot>> slots_;
  std::vector<Memslot*> by_id_;  // null where no slot has the id
  SlotsByHva by_hva_;
  mutable SlotIndex index_;
  mutable Memslot* last_ = nullptr;
  bool remembers_ = true;
  std::uint64_t generation_;
  unsigned spaces_;
  std::uint64_t mmio_mask_;
};

enum class SlotChange : std::uint8_t { kNone, kCreate, kDelete, kMove, kFlags };

// What a VM allows its slots.
struct SlotRules {
  KernelProfile kernel;
  unsigned address_spaces;
  bool allows_memfd;
  std::uint64_t user_end;  // of the addresses that a process may use
  std::uint64_t max_frame;
  bool twin_slots;  // AliasTraits
};

// Everything that is checked before a change begins, in KVM's order, first
// failure wins. KVM: kvm_set_memory_region() (v6.16).
Result<SlotChange> check_memslot(const MemslotSet* sets,
                                 const MemslotRegion& region,
                                 const SlotRules& rules);

// A slot that is made binds its part of a guest_memfd. `files`: how long each
// one is. KVM: kvm_gmem_bind() (v6.16).
std::optional<Error> check_binding(const MemslotSet* sets,
                                   const MemslotRegion& region,
                                   std::span<const std::uint64_t> files);

// What is checked after a move has already invalidated the old slot.
// KVM: kvm_arch_prepare_memory_region() (v6.16).
Result<SlotChange> check_arch(const MemslotRegion& region, SlotChange change,
                              const SlotRules& rules, const AliasSpace& space);

// Top of the address bits inside a 1G table. An alias bit there would have to
// choose between tables that such a page does not have.
inline constexpr unsigned kTop1G = 38;
constexpr bool allows_1g(const AliasSpace& space) {
  return space.bit_count == 0 || space.low_bit > kTop1G;
}

// The last frame that may be mapped. KVM: kvm_mmu_max_gfn() (v6.16).
constexpr Gfn max_gfn(const MachineConfig& config) {
  return {bit(config.host_maxphyaddr - kPageShift) - 1};
}

}  // namespace mmu
