// What keeps huge pages out of a slot, page by page, as KVM would have counted
// it. The engine asks each question when it arises (leaf_level.hpp); whoever
// wants to see the answers as a table gets them here.
//
// Law: a word is 0 exactly where a fault may map a page that large, the host's
// own mapping aside (test/native/lpage_info_test.cpp).
//
// KVM: struct kvm_lpage_info, kvm_alloc_memslot_metadata(),
// kvm_mmu_gfn_disallow_lpage(), KVM_LPAGE_MIXED_FLAG (v6.16).
#pragma once

#include <cstdint>
#include <vector>

#include "core/mmu.hpp"

namespace mmu {

// Of each page of `level`, 2M or 1G, that meets the slot, in order: bit 31 if
// its attributes are mixed, else how much speaks against it.
std::vector<std::uint32_t> list_lpage_info(const Mmu& mmu, const Memslot& slot,
                                           Level level);

}  // namespace mmu
