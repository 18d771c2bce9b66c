// What a change of the memslots, or of their dirty logs, does to mappings.
//
// Slots speak canonical frames and trees speak aliased ones; `ViewsOf` turns
// a canonical range into every view of it. It is the strategy's answer, handed
// in by the engine, so that nothing here knows an alias bit.
//
// KVM: kvm_set_memory_region(), kvm_mmu_slot_apply_flags(),
// kvm_get_dirty_log_protect() (v6.16).
#pragma once

#include <functional>
#include <vector>

#include "core/alias/alias_strategy.hpp"
#include "core/mmu.hpp"

namespace mmu {

using ViewsOf = std::function<Views(GfnRange)>;

// KVM_SET_USER_MEMORY_REGION.
Result<SlotChange> set_memslot(Mmu& mmu, const ViewsOf& views,
                               const MemslotRegion& region);

// A clear bitmap for a slot. Made before anything changes, because it is large
// and may not be had.
std::unique_ptr<DirtyBitmap> make_bitmap(const Memslot& slot);

// Dirty logging of a slot that is not logged, and of one that is.
void start_logging(Mmu& mmu, const ViewsOf& views, Memslot& slot,
                   std::unique_ptr<DirtyBitmap> bitmap) noexcept;
void stop_logging(Mmu& mmu, const ViewsOf& views, Memslot& slot) noexcept;

// KVM_GET_DIRTY_LOG in auto mode: the set bits, cleared and re-armed. Calls
// taken(word_index, mask) for every word that had one, if given. Answers with
// the number of bits.
std::uint64_t take_dirty_log(
    Mmu& mmu, const ViewsOf& views, Memslot& slot,
    const std::function<void(std::size_t, std::uint64_t)>& taken = nullptr);

// One round, over one slot or several, is over and took so many bits.
void count_round(DirtyRounds& rounds, std::uint64_t pages) noexcept;

// KVM: kvm_mmu_zap_all_fast(). Counts what was mapped as changed.
void zap_all_fast(Mmu& mmu) noexcept;

}  // namespace mmu
