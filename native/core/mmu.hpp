// The state of one VM's MMU, and nothing that acts on it.
//
// KVM: the MMU part of struct kvm_arch and struct kvm_vcpu_stat (v6.16).
#pragma once

#include <array>
#include <vector>

#include "core/machine.hpp"
#include "core/memslot.hpp"
#include "core/page_table.hpp"

namespace mmu {

// Counters of one vCPU, under KVM's names.
struct VcpuStats {
  std::uint64_t pf_taken = 0;
  std::uint64_t pf_fixed = 0;
  std::uint64_t pf_emulate = 0;
  std::uint64_t pf_spurious = 0;
  std::uint64_t pf_fast = 0;
  std::uint64_t pf_mmio_spte_created = 0;
};

struct Mmu {
  Mmu(const MachineConfig& wanted, PagePool&& arena)
      : config(wanted),
        pool(std::move(arena)),
        tree(pool, accounts, level_of(wanted.root_level)),
        vcpus(wanted.vcpus) {}
  Mmu(const Mmu&) = delete;  // the tree points at its siblings
  Mmu& operator=(const Mmu&) = delete;

  MemslotSet& slots() { return slot_sets[0]; }
  const MemslotSet& slots() const { return slot_sets[0]; }

  MachineConfig config;
  PagePool pool;
  TreeAccounts accounts;
  PageTable tree;
  std::array<MemslotSet, kAddressSpaces> slot_sets{MemslotSet{0},
                                                   MemslotSet{1}};
  std::vector<VcpuStats> vcpus;
  DirtyRounds dirty_rounds;
};

}  // namespace mmu
