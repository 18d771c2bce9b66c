// What KVM's tracepoints know, one struct and one function each.
//
// Whoever models a piece of KVM that has a tracepoint says so here, where a
// sink is set, in one line (DESIGN.md, "Tracepoints"). What a line looks like,
// in which kernel, is the sink's business. Entries are the engine's own;
// places in tables are addresses of the engine's own table region.
//
// KVM: arch/x86/kvm/mmu/mmutrace.h, include/trace/events/kvm.h,
// arch/x86/kvm/trace.h (v6.16).
#pragma once

#include <cstdint>

#include "core/role.hpp"
#include "core/spte.hpp"

namespace mmu::tracepoint {

// A fault's codes: as the exit handler prints it, and as the MMU reads it.
struct FaultCodes {
  std::uint64_t exit = 0;   // VMX: exit qualification; SVM: NPF code
  std::uint64_t pferr = 0;  // PFERR_* bits
};

struct PageFault {
  unsigned vcpu;
  std::uint64_t address;  // as issued
  FaultCodes codes;
};

struct SpteRequested {
  Gfn gfn;
  AliasedGfn issued;
  Pfn pfn;
  Level level;
};
// The pfn of a frame without a slot. KVM: KVM_PFN_NOSLOT.
inline constexpr Pfn kNoSlotPfn{bit(63)};

struct ShadowPage {
  Gfn gfn;
  PageRole role;
  unsigned generation;  // of the legacy MMU's pages; 0 in a tree
  unsigned root_count;
};

struct SpteChanged {
  unsigned as_id;
  std::uint64_t gfn;
  Level level;
  Spte old;
  Spte now;
};

struct SpteSet {
  Gfn gfn;  // of the fault, not rounded
  Spte spte;
  Level level;
  std::uint64_t at;
};

struct MmioMarked {
  std::uint64_t at;
  Gfn gfn;
  Spte spte;
};

struct MmioChecked {
  Spte spte;
  std::uint64_t generation;  // of the slots, any width
  bool valid;
};

struct MmioHandled {
  Spte spte;
};

struct FastPageFault {
  PageFault fault;
  Level level;  // of the entry
  std::uint64_t at;
  Spte old;
  Spte now;
  bool spurious;
  bool fixed;
};

struct ZapAllFast {
  unsigned generation;  // before it is toggled
  std::uint64_t used_pages;
};

struct HugePageSplit {
  Gfn gfn;
  Spte spte;
  Level level;
  int error;  // 0 or a negative errno
};

struct HvaRange {
  std::uint64_t start;
  std::uint64_t end;
};

struct DirtyRing {
  unsigned vcpu;
  std::uint32_t dirty;
  std::uint32_t reset;
  std::uint32_t used;
};

struct DirtyRingPush {
  DirtyRing ring;
  std::uint32_t slot;  // as_id << 16 | id
  std::uint64_t offset;
};

// Of an asynchronous page fault: the address as issued, and its frame.
struct AsyncFault {
  std::uint64_t address;
  Gfn gfn;
};
struct AsyncToken {
  std::uint64_t token;
  std::uint64_t address;
};

}  // namespace mmu::tracepoint

namespace mmu {

class TraceSink {
 public:
  virtual ~TraceSink() = default;

  // What follows belongs to event number `event`, on this vCPU.
  virtual void begin(std::uint64_t event, unsigned vcpu) noexcept = 0;

  virtual void page_fault(const tracepoint::PageFault&) noexcept {}
  virtual void spte_requested(const tracepoint::SpteRequested&) noexcept {}
  virtual void get_page(const tracepoint::ShadowPage&,
                        bool /*is_new*/) noexcept {}
  virtual void prepare_zap_page(const tracepoint::ShadowPage&) noexcept {}
  virtual void spte_changed(const tracepoint::SpteChanged&) noexcept {}
  virtual void set_spte(const tracepoint::SpteSet&) noexcept {}
  virtual void mark_mmio_spte(const tracepoint::MmioMarked&) noexcept {}
  virtual void check_mmio_spte(const tracepoint::MmioChecked&) noexcept {}
  virtual void handle_mmio_page_fault(const tracepoint::MmioHandled&) noexcept {
  }
  virtual void fast_page_fault(const tracepoint::FastPageFault&) noexcept {}
  virtual void zap_all_fast(const tracepoint::ZapAllFast&) noexcept {}
  virtual void split_huge_page(const tracepoint::HugePageSplit&) noexcept {}
  virtual void unmap_hva_range(const tracepoint::HvaRange&) noexcept {}
  virtual void age_hva(const tracepoint::HvaRange&) noexcept {}
  virtual void test_age_hva(std::uint64_t /*hva*/) noexcept {}
  virtual void dirty_ring_push(const tracepoint::DirtyRingPush&) noexcept {}
  virtual void dirty_ring_reset(const tracepoint::DirtyRing&) noexcept {}
  virtual void dirty_ring_exit(unsigned /*vcpu*/) noexcept {}
  virtual void pml_full(unsigned /*vcpu*/) noexcept {}
  virtual void try_async_get_page(const tracepoint::AsyncFault&) noexcept {}
  virtual void async_pf_repeated_fault(const tracepoint::AsyncFault&) noexcept {
  }
  virtual void async_pf_not_present(const tracepoint::AsyncToken&) noexcept {}
  virtual void async_pf_ready(const tracepoint::AsyncToken&) noexcept {}
};

}  // namespace mmu
