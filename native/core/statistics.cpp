// KVM: kvm_vcpu_stats_desc[], kvm_vm_stats_desc[] (v6.16), debugfs_entries[]
// (v5.10), arch/x86/kvm/x86.c.
#include "core/statistics.hpp"

#include <span>
#include <string>

namespace mmu {
namespace {

// What a statistic is called; empty where a kernel does not have it.
struct Names {
  std::string_view now;
  std::string_view in_510;

  std::string_view of(Kernel kernel) const {
    return kernel == Kernel::k510 ? in_510 : now;
  }
};

struct VcpuRow {
  Names names;
  std::uint64_t (*value)(const Mmu&, const VcpuStats&);
};

struct VmRow {
  Names names;
  std::uint64_t (*value)(const Mmu&);
};

using Vcpu = const VcpuStats&;

// Whatever hardware could not do by itself.
std::uint64_t exits(Vcpu vcpu) { return vcpu.pf_taken + vcpu.mmio_hits; }

std::uint64_t emulated(Vcpu vcpu) { return vcpu.pf_emulate + vcpu.mmio_hits; }

// Statistics of what is not modelled: the guest's own tables, its INVLPG, an
// emulator that fails, the L1 cache.
std::uint64_t never(const Mmu&, Vcpu) { return 0; }
std::uint64_t never(const Mmu&) { return 0; }

constexpr VcpuRow kVcpuRows[] = {
    {{"pf_taken", ""}, [](const Mmu&, Vcpu vcpu) { return vcpu.pf_taken; }},
    {{"pf_fixed", "pf_fixed"},
     [](const Mmu&, Vcpu vcpu) { return vcpu.pf_fixed; }},
    {{"pf_emulate", ""}, [](const Mmu&, Vcpu vcpu) { return vcpu.pf_emulate; }},
    {{"pf_spurious", ""},
     [](const Mmu&, Vcpu vcpu) { return vcpu.pf_spurious; }},
    {{"pf_fast", ""}, [](const Mmu&, Vcpu vcpu) { return vcpu.pf_fast; }},
    {{"pf_mmio_spte_created", ""},
     [](const Mmu&, Vcpu vcpu) { return vcpu.pf_mmio_spte_created; }},
    {{"pf_guest", "pf_guest"},
     [](const Mmu&, Vcpu vcpu) { return vcpu.pf_guest; }},
    {{"tlb_flush", "tlb_flush"},
     [](const Mmu& mmu, Vcpu vcpu) {
       return mmu.flush.counts().served - vcpu.flushes_before +
              vcpu.own_flushes;
     }},
    {{"invlpg", "invlpg"}, never},
    {{"exits", "exits"}, [](const Mmu&, Vcpu vcpu) { return exits(vcpu); }},
    {{"mmio_exits", "mmio_exits"},
     [](const Mmu&, Vcpu vcpu) { return emulated(vcpu); }},
    {{"insn_emulation", "insn_emulation"},
     [](const Mmu&, Vcpu vcpu) {
       return emulated(vcpu) + vcpu.write_protected;
     }},
    {{"insn_emulation_fail", "insn_emulation_fail"}, never},
    {{"l1d_flush", "l1d_flush"}, never},
};

constexpr VmRow kVmRows[] = {
    {{"pages_4k", ""}, [](const Mmu& mmu) { return mmu.accounts.leaves[1]; }},
    {{"pages_2m", ""}, [](const Mmu& mmu) { return mmu.accounts.leaves[2]; }},
    {{"pages_1g", ""}, [](const Mmu& mmu) { return mmu.accounts.leaves[3]; }},
    {{"", "largepages"},
     [](const Mmu& mmu) {
       return mmu.accounts.leaves[2] + mmu.accounts.leaves[3];
     }},
    {{"nx_lpage_splits", "nx_largepages_splitted"},
     [](const Mmu& mmu) {
       return mmu.nx_pages ? mmu.nx_pages->size() : std::uint64_t{0};
     }},
    {{"remote_tlb_flush_requests", ""},
     [](const Mmu& mmu) {
       return mmu.flush.counts().remote_tlb_flush_requests;
     }},
    {{"remote_tlb_flush", "remote_tlb_flush"},
     [](const Mmu& mmu) { return mmu.flush.counts().remote_tlb_flush; }},
    {{"mmu_shadow_zapped", "mmu_shadow_zapped"},
     [](const Mmu& mmu) { return mmu.stats.mmu_shadow_zapped; }},
    {{"mmu_pte_write", "mmu_pte_write"},
     [](const Mmu& mmu) { return mmu.stats.mmu_pte_write; }},
    {{"", "mmu_pte_updated"}, never},
    {{"mmu_pde_zapped", "mmu_pde_zapped"},
     [](const Mmu& mmu) { return mmu.stats.mmu_pde_zapped; }},
    {{"mmu_flooded", "mmu_flooded"},
     [](const Mmu& mmu) { return mmu.stats.mmu_flooded; }},
    {{"mmu_recycled", "mmu_recycled"},
     [](const Mmu& mmu) { return mmu.stats.mmu_recycled; }},
    {{"mmu_cache_miss", "mmu_cache_miss"},
     [](const Mmu& mmu) { return mmu.stats.mmu_cache_miss; }},
    {{"mmu_unsync", "mmu_unsync"}, never},
    {{"max_mmu_rmap_size", ""},
     [](const Mmu& mmu) { return mmu.stats.max_mmu_rmap_size; }},
    {{"max_mmu_page_hash_collisions", "max_mmu_page_hash_collisions"},
     [](const Mmu& mmu) { return mmu.stats.max_mmu_page_hash_collisions; }},
};

std::vector<NamedCount> sum_of(const Mmu& mmu,
                               std::span<const VcpuStats> vcpus) {
  std::vector<NamedCount> counts;
  for (const VcpuRow& row : kVcpuRows) {
    const std::string_view name = row.names.of(mmu.config.kernel);
    if (name.empty()) continue;
    std::uint64_t total = 0;
    for (const VcpuStats& vcpu : vcpus) total += row.value(mmu, vcpu);
    counts.push_back({name, total});
  }
  return counts;
}

}  // namespace

std::vector<NamedCount> list_stats(const Mmu& mmu) {
  std::vector<NamedCount> counts =
      sum_of(mmu, {mmu.vcpus.data(), mmu.vcpu_ids.size()});
  for (const VmRow& row : kVmRows) {
    const std::string_view name = row.names.of(mmu.config.kernel);
    if (!name.empty()) counts.push_back({name, row.value(mmu)});
  }
  return counts;
}

Result<std::vector<NamedCount>> list_vcpu_stats(const Mmu& mmu,
                                                std::uint32_t vcpu) {
  if (vcpu < mmu.vcpu_ids.size()) return sum_of(mmu, {&mmu.vcpus[vcpu], 1});
  const std::uint64_t limit = mmu.vcpu_ids.size();
  return Error{ErrorCode::kEvent,
               {{{"row", 0}, {"value", vcpu}, {"limit", limit}}},
               "expected a vCPU below " + std::to_string(limit) +
                   ", got vCPU " + std::to_string(vcpu)};
}

}  // namespace mmu
