// How a kernel's tracepoints differ from another's: which entries, in which
// order, in which words. One table.
#pragma once

#include <array>
#include <cstdint>

#include "core/formats/spte_format.hpp"
#include "core/machine.hpp"

namespace mmu {

// What the entries of a removed table print.
enum class RemovedEntries : std::uint8_t {
  kEachFrozen,    // all 512, as the fault path's lock wants it
  kZeroedIfUsed,  // those that were not zero, as 5.10 had one lock for all
};

struct TraceLayout {
  const SpteFormat* ept;
  const SpteFormat* npt;
  RemovedEntries removed;
  // The levels at which a whole root is zapped, pass by pass, up to kNone; the
  // root's own entries come last and are not listed.
  std::array<Level, 4> passes;
  // kvm_page_fault says which vCPU and where.
  bool names_vcpu;
  // kvm_mmu_spte_requested and kvm_mmu_set_spte have the frame of the fault as
  // it was issued, or not rounded down.
  bool frames_as_faulted;
  // fast_page_fault prints bits that have no name.
  bool wide_error_codes;
  // Of the column between cpu and time.
  const char* flags;
};

const TraceLayout& layout_of(TraceRelease release);
// The release whose tracepoints a kernel has.
TraceRelease release_of(Kernel kernel);

}  // namespace mmu
