// The state of one VM's MMU, and nothing that acts on it.
//
// KVM: the MMU part of struct kvm_arch and struct kvm_vcpu_stat (v6.16).
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/alias/alias_strategy.hpp"
#include "core/async_faults.hpp"
#include "core/dirty_ring.hpp"
#include "core/external_tables.hpp"
#include "core/frame_set.hpp"
#include "core/guest_mtrrs.hpp"
#include "core/host_memory.hpp"
#include "core/invalidation.hpp"
#include "core/machine_setup.hpp"
#include "core/memslot.hpp"
#include "core/mmio_cache.hpp"
#include "core/page_table.hpp"
#include "core/pml.hpp"
#include "core/tlb.hpp"
#include "core/tlb_flush.hpp"
#include "core/vector_path.hpp"

namespace mmu {

class FlavourOps;
struct Guest;
class RuleSet;
class Tracer;

// What is counted of one vCPU; KVM's other statistics follow from these
// (statistics.cpp).
struct VcpuStats {
  std::uint64_t pf_taken = 0;
  std::uint64_t pf_fixed = 0;
  std::uint64_t pf_emulate = 0;
  std::uint64_t pf_spurious = 0;
  std::uint64_t pf_fast = 0;
  std::uint64_t pf_mmio_spte_created = 0;
  std::uint64_t pf_guest = 0;
  // Accesses that were emulated without a fault's being taken.
  std::uint64_t mmio_hits = 0;
  // Faults answered kWriteProtected, and so emulated.
  std::uint64_t write_protected = 0;
  // Flushes of its own. Those of all vCPUs are counted once, by TlbFlush, and
  // some of them were over before this vCPU was made.
  std::uint64_t own_flushes = 0;
  std::uint64_t flushes_before = 0;
};

// What the flavours count for the whole VM, under KVM's names.
struct MmuStats {
  std::uint64_t mmu_shadow_zapped = 0;
  std::uint64_t mmu_recycled = 0;
  std::uint64_t mmu_cache_miss = 0;
  std::uint64_t mmu_pte_write = 0;
  std::uint64_t mmu_pde_zapped = 0;
  std::uint64_t mmu_flooded = 0;
  std::uint64_t max_mmu_rmap_size = 0;
  std::uint64_t max_mmu_page_hash_collisions = 0;
};

// How dirty pages are logged, by the capabilities that were enabled.
// KVM: KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2.
struct LogMode {
  bool is_manual = false;        // reading a log does not clear it
  bool is_set_at_first = false;  // a new bitmap has every page
};

// One ring a vCPU, each of so many entries.
struct DirtyRings {
  std::uint64_t entries = 0;
  std::uint64_t reserved = 0;
  std::vector<DirtyRing> of;
};

// What KVM remembers of one vCPU between faults.
struct VcpuState {
  MmioCache mmio;
  AsyncFaults async;
  std::optional<MemoryFaultView> memory_fault;
};

struct Mmu {
  Mmu(MachineSetup&& setup, const Alias& strategy, PagePool&& arena);
  ~Mmu();
  Mmu(const Mmu&) = delete;  // the trees point at their siblings
  Mmu& operator=(const Mmu&) = delete;

  MemslotSet& slots() { return slot_sets[0]; }
  const MemslotSet& slots() const { return slot_sets[0]; }
  PageTable& tree(RootId root) { return trees[static_cast<unsigned>(root)]; }
  const PageTable& tree(RootId root) const {
    return trees[static_cast<unsigned>(root)];
  }
  // Which making of a root a TLB entry belongs to.
  std::uint32_t& incarnation(RootId root) {
    return incarnations[static_cast<unsigned>(root)];
  }
  bool has_private_memory() const { return alias.has_private_memory(); }
  VcpuState& of_vcpu(unsigned vcpu) {
    if (vcpu >= vcpu_states.size()) vcpu_states.resize(vcpu + 1);
    return vcpu_states[vcpu];
  }
  // Whether private memory stands on frames of its own, not on the slot's.
  bool has_own_frames(bool is_private) const {
    return is_private && private_bit != 0;
  }
  // By its root, or by its frame where private memory has frames of its own.
  bool is_private(RootId root, Spte leaf) const {
    return root == RootId::kPrivate || (leaf.raw & private_bit) != 0;
  }

  MachineConfig config;
  const Alias& alias;
  const AliasTraits traits;
  const EntryRules entry_rules;
  // Decides no answer.
  const VectorPath vector_path = chosen_vector_path();
  PagePool pool;
  TreeAccounts accounts;
  std::array<PageTable, kRootCount> trees;
  std::array<std::uint32_t, kRootCount> incarnations{};
  HostMemory host;
  // None until somebody asks for guest memory or registers.
  std::unique_ptr<Guest> guest;
  Invalidations invalidations;
  // What others do while a fault is on its way; empty: nothing.
  std::function<void()> interleave;
  InterleaveAt interleave_at = InterleaveAt::kBeforeLock;
  bool is_interleaving = false;
  const SlotRules slot_rules;
  std::array<MemslotSet, kAddressSpaces> slot_sets;
  // Whether a slot's end drops every table: KVM_X86_QUIRK_SLOT_ZAP_ALL.
  bool slot_zap_all;
  LogMode log;
  std::unique_ptr<DirtyRings> rings;    // null: bitmaps
  std::vector<std::uint64_t> memfds;    // bytes of each
  std::vector<std::uint32_t> vcpu_ids;  // in the order of their creation
  // One at least, though it may be nobody's.
  std::vector<VcpuStats> vcpus;
  MmuStats stats;
  std::vector<VcpuState> vcpu_states;  // as far as any was asked for
  DirtyRounds dirty_rounds;
  // Address bit that marks the host frames of private memory; 0 if none do.
  std::uint64_t private_bit = 0;
  // None where the guest's memory types do not count.
  std::optional<GuestMtrrs> mtrrs;
  FrameSet private_frames;  // memory attributes: absent means shared
  std::uint64_t coexisting = 0;
  std::uint64_t conversions = 0;
  ExternalTables external;
  // Tables that stand in for huge pages; null without the workaround.
  std::unique_ptr<PageQueue> nx_pages;
  std::unique_ptr<PmlBuffers> pml;  // null: no page-modification log
  std::unique_ptr<TlbSet> tlbs;     // null: nothing is cached
  TlbFlush flush;
  std::unique_ptr<FlavourOps> ops;
  std::unique_ptr<RuleSet> rules;  // null: nothing can go wrong
  std::unique_ptr<Tracer> trace;   // null: no tracepoint is on
  // Whether first touches and lost W may go the short way behind a TLB, as
  // ReplayLoop says.
  bool has_short_ways = false;
  // Number of the event that runs; what a projection inserted has none.
  std::uint64_t event = 0;
};

}  // namespace mmu
