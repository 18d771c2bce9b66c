// Somebody begins to watch writes to guest frames, or stops.
//
// KVM: __kvm_write_track_add_gfn(), __kvm_write_track_remove_gfn() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// Frames that no slot has are passed over.
void track_writes(Mmu& mmu, GfnRange frames);
// Nothing is unprotected: the next write fault does that.
void untrack_writes(Mmu& mmu, GfnRange frames);

}  // namespace mmu
