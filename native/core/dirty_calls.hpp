// The ioctls that read and clear the dirty log of one slot, with what they
// refuse and in which order.
//
// KVM: kvm_get_dirty_log_protect(), kvm_clear_dirty_log_protect() (v6.16).
#pragma once

#include "core/dirty_log.hpp"

namespace mmu {

// Whether the caller has a place for the bitmap, and whether to take it.
struct DirtyLogRead {
  bool peek = false;        // ours: neither cleared nor counted as a round
  bool copy_fails = false;  // the buffer is not mapped
};

// KVM_GET_DIRTY_LOG.
Result<std::vector<std::uint64_t>> read_dirty_log(Mmu& mmu, std::uint32_t slot,
                                                  const DirtyLogRead& read);

// KVM_CLEAR_DIRTY_LOG. `bitmap`: what can be read of the caller's buffer, which
// should have a bit for each page.
std::optional<Error> clear_dirty_log(Mmu& mmu, const DirtyLogClear& clear,
                                     std::span<const std::uint64_t> bitmap);

// KVM_CLEAR_DIRTY_LOG of every page of the 64-page windows of the slot that
// meet a range.
void clear_dirty_windows(Mmu& mmu, Memslot& slot, GfnRange range);

}  // namespace mmu
