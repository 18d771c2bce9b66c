// What is done to every leaf of a range of one tree.
//
// Each takes the range as the tree indexes it; the strategy has already turned
// a canonical range into the views through which it is reached. Slots are
// passed where KVM looks at them.
//
// KVM: kvm_tdp_mmu_zap_leafs(), kvm_tdp_mmu_wrprot_slot(),
// kvm_tdp_mmu_try_split_huge_pages(), kvm_tdp_mmu_recover_huge_pages(),
// kvm_tdp_mmu_clear_dirty_pt_masked() (v6.16).
#pragma once

#include "core/memslot.hpp"
#include "core/page_table.hpp"

namespace mmu {

// Every present leaf that meets the range becomes empty, huge ones whole.
// Tables and MMIO entries stay.
void zap_leafs(PageTable& tree, AliasedRange range) noexcept;

// Takes W, not MMU-writable, from every leaf that meets the range.
void write_protect(PageTable& tree, AliasedRange range) noexcept;

// Takes W from the 4K leaves whose bit is set in `mask`; bit 0 is `first`.
// Larger leaves are left alone.
void write_protect_masked(PageTable& tree, AliasedGfn first,
                          std::uint64_t mask) noexcept;

// Splits every huge leaf that meets the range down to 4K. Where memory runs
// out it stops and leaves the rest to be split by faults.
void split_huge_pages(PageTable& tree, AliasedRange range) noexcept;

// Replaces tables by huge leaves where slot and host allow it. A table without
// a present leaf stays. `offset` is what to take from a frame of the tree to
// get the canonical one.
void recover_huge_pages(PageTable& tree, AliasedRange range,
                        const Memslot& slot, std::uint64_t offset) noexcept;

}  // namespace mmu
