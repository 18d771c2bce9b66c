// The commonest fault of a logged slot, without the generality: a write to a
// 4K page that is mapped and lost only its W, in order that this write be seen.
//
// Why it equals handle_fault(): the entry is a leaf that KVM may make writable
// without asking, so the fast path takes it; hardware walked the very frame
// that KVM would walk, so it is the entry KVM would find; the slot is the one
// found last, so the search would find it too. What is left of the fast path
// is written out below. Any other case answers false and has changed nothing.
// test/native/write_fix_test.cpp holds one against the other.
//
// KVM: fast_page_fault() (v6.16).
#pragma once

#include "core/event.hpp"
#include "core/hardware_walk.hpp"
#include "core/mmu.hpp"

namespace mmu {

// `entry` holds `word` and is where hardware's walk of the frame ended, at 4K.
// Only where every alias grants the same (ReplayLoop::is_plain()).
inline bool fix_write(Mmu& mmu, std::uint64_t* entry, std::uint64_t word,
                      Gfn gfn, std::uint8_t access, std::uint16_t vcpu) {
  constexpr std::uint64_t kNeed = ept::kMmuPresent | ept::kMmuWritable;
  if ((word & (kNeed | ept::kWrite)) != kNeed) return false;
  if ((access & kAccessWrite) == 0) return false;
  if (!HardwareWalk::allows(word | ept::kWrite, access)) return false;
  Memslot* slot = mmu.slots().find_in_last(gfn);
  if (slot == nullptr) return false;
  mmu.tree(RootId::kDirect).give_back_write(entry);
  slot->mark_dirty(gfn);
  VcpuStats& stats = mmu.vcpus[vcpu];
  ++stats.pf_taken;
  ++stats.pf_fixed;
  ++stats.pf_fast;
  return true;
}

}  // namespace mmu
