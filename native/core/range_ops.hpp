// What is done to every leaf of a range of one tree.
//
// Each takes the range as the tree indexes it; the strategy has already turned
// a canonical range into the views through which it is reached. `keep` is an
// address bit, or 0: leaves that have it are private memory, and nobody's to
// log.
//
// The hull that comes back holds the frames of every leaf from which something
// was taken; a cached translation of them may be stale.
//
// KVM: kvm_tdp_mmu_zap_leafs(), kvm_tdp_mmu_wrprot_slot(),
// kvm_tdp_mmu_clear_dirty_slot(), kvm_tdp_mmu_write_protect_gfn(),
// kvm_tdp_mmu_try_split_huge_pages(), kvm_tdp_mmu_recover_huge_pages(),
// kvm_tdp_mmu_clear_dirty_pt_masked() (v6.16).
#pragma once

#include <functional>

#include "core/flush_plan.hpp"
#include "core/memslot.hpp"
#include "core/page_table.hpp"

namespace mmu {

// Every present leaf that meets the range becomes empty, huge ones whole.
// Tables and MMIO entries stay.
Hull zap_leafs(PageTable& tree, AliasedRange range) noexcept;

// Every present leaf that meets the range is blocked; all are 4K.
Hull block_leafs(PageTable& tree, AliasedRange range) noexcept;

// Whether a present leaf that meets the range has been used since the last
// time; with `clear`, all of them are marked unused. Owes no flush: what is
// cached may go on being used unseen.
// KVM: kvm_tdp_mmu_age_gfn_range(), kvm_tdp_mmu_test_age_gfn().
bool age_leafs(PageTable& tree, AliasedRange range, bool clear) noexcept;

// Takes `bits`, W or D or software bits, from every leaf of `min_level` or
// above that meets the range.
Hull take_bits(PageTable& tree, AliasedRange range, std::uint64_t bits,
               std::uint64_t keep, Level min_level = Level::k4K) noexcept;

// Takes W and MMU-writable from every leaf that meets the range, so that only a
// fault with the lock gives W back.
Hull write_protect_for_good(PageTable& tree, AliasedRange range) noexcept;

// Takes them from the 4K leaves whose bit is set in `mask`; bit 0 is `first`.
// Larger leaves are left alone.
Hull take_bits_masked(PageTable& tree, AliasedGfn first, std::uint64_t mask,
                      std::uint64_t bits, std::uint64_t keep) noexcept;

// Splits every huge leaf that meets the range down to 4K. Where memory runs
// out it stops and leaves the rest to be split by faults.
void split_huge_pages(PageTable& tree, AliasedRange range) noexcept;

// Replaces tables by huge leaves where `may(first slot frame, level)` says so.
// A table without a present leaf stays, and so does one whose first leaf is
// private. `offset` is what to take from a frame of the tree to get the slot's.
using MayRecover = std::function<bool(Gfn, Level)>;
Hull recover_huge_pages(PageTable& tree, AliasedRange range,
                        std::uint64_t offset, std::uint64_t keep,
                        const MayRecover& may);

}  // namespace mmu
