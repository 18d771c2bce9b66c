// Dirty logs of memslots: switched on and off, read, and cleared.
//
// KVM: kvm_mmu_slot_apply_flags(), kvm_get_dirty_log_protect(),
// kvm_clear_dirty_log_protect() (v6.16).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/mmu.hpp"

namespace mmu {

// One step of the generation of an address space's slots; when the part that
// MMIO entries carry comes round to zero, entries of the last round must go.
// KVM: kvm_mmu_invalidate_mmio_sptes().
void advance_generation(Mmu& mmu, std::uint32_t as_id);

// As a slot gets it that has none; null where rings take its place.
std::unique_ptr<DirtyBitmap> make_bitmap(const Mmu& mmu, std::uint64_t pages);

// Bitmaps for a slot and its twins. Made before anything changes, because they
// are large and may not be had.
using Bitmaps = std::vector<std::unique_ptr<DirtyBitmap>>;
Bitmaps make_bitmaps(const Mmu& mmu, const Memslot& slot);

// Dirty logging of a slot that is not logged, and of one that is.
void start_logging(Mmu& mmu, Memslot& slot, Bitmaps bitmaps);
void stop_logging(Mmu& mmu, Memslot& slot);

// KVM_GET_DIRTY_LOG in auto mode: the set bits, cleared and re-armed. Calls
// taken(word_index, mask) for every word that had one, if given. Answers with
// the number of bits. What twins have goes to the slot.
std::uint64_t take_dirty_log(
    Mmu& mmu, Memslot& slot,
    const std::function<void(std::size_t, std::uint64_t)>& taken = nullptr);

// KVM_CLEAR_DIRTY_LOG: of the words from `first` on, the bits that a mask of
// its word names, cleared and re-armed, in the slot and its twins.
void clear_dirty_words(Mmu& mmu, Memslot& slot, std::size_t first,
                       std::span<const std::uint64_t> masks);

// The slot's log with its twins', not taken.
std::vector<std::uint64_t> dirty_words(const Memslot& slot);

// One round, over one slot or several, is over and took so many bits.
void count_round(DirtyRounds& rounds, std::uint64_t pages) noexcept;

}  // namespace mmu
