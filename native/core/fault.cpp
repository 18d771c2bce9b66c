#include "core/fault.hpp"

#include "core/fault_steps.hpp"
#include "core/flavour.hpp"
#include "core/last_entry.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

// An MMIO entry that hardware refused is good while no slot has changed since
// it was made. KVM: handle_mmio_page_fault(), check_mmio_spte().
bool is_current_mmio(Mmu& mmu, const Fault& fault) {
  const std::uint64_t generation = mmu.slots().generation();
  MmioCache& cache = mmu.of_vcpu(fault.vcpu).mmio;
  if (cache.holds(fault.issued, generation)) return true;
  const Spte spte = find_last(mmu.tree(fault.root), fault.walk_gfn).spte;
  if (!spte.is_mmio()) return false;
  const bool current = mmio_generation(spte) == mmu.slots().mmio_generation();
  if (mmu.trace) mmu.trace->mmio_page_fault(spte, current);
  if (current) cache = {fault.gfn, generation};
  return current;
}

// KVM: the comparison of fault->is_private with the attribute in
// kvm_mmu_faultin_pfn().
bool is_mismatch(const Mmu& mmu, const Fault& fault) {
  return mmu.traits.checks_attributes && mmu.has_private_memory() &&
         mmu.private_frames.contains(fault.canonical) != fault.is_private;
}

// KVM: page_fault_handle_page_track().
bool is_write_tracked(const Mmu& mmu, const Fault& fault) {
  if (!fault.present || !fault.is_write()) return false;
  const Memslot* slot = visible_slot(mmu, fault);
  return slot != nullptr && slot->tracked.contains(fault.gfn);
}

void count(VcpuStats& stats, OutcomeCode code) {
  ++stats.pf_taken;
  if (code == OutcomeCode::kFixed) ++stats.pf_fixed;
  if (code == OutcomeCode::kEmulate) ++stats.pf_emulate;
  if (code == OutcomeCode::kSpurious) ++stats.pf_spurious;
  if (code == OutcomeCode::kWriteProtected) ++stats.write_protected;
}

// Whatever the access was: KVM tells its VMM of private or shared alone.
// KVM: kvm_prepare_memory_fault_exit().
OutcomeCode exit_to_vmm(Mmu& mmu, const Fault& fault) {
  mmu.of_vcpu(fault.vcpu).memory_fault = {
      fault.is_private ? MemoryFaultView::kPrivate : 0,
      gpa_of(fault.canonical).value, kPageSize};
  return OutcomeCode::kMemoryFault;
}

OutcomeCode ask_kvm(Mmu& mmu, Fault& fault) {
  // Not this alias' to do: the guest gets a #PF.
  if ((fault.access & ~fault.permissions) != 0) {
    ++mmu.vcpus[fault.vcpu].pf_guest;
    return OutcomeCode::kRetry;
  }
  if (is_write_tracked(mmu, fault)) return OutcomeCode::kWriteProtected;
  if (is_mismatch(mmu, fault)) return OutcomeCode::kMemoryFault;
  const OutcomeCode fast = fix_fast(mmu, fault);
  if (fast != OutcomeCode::kRetry) {
    ++mmu.vcpus[fault.vcpu].pf_fast;
    return fast;
  }
  // Before anything changes, as KVM fills its per-vCPU caches.
  if (!mmu.ops->ensure_room(fault)) {
    fault.out_of_memory = true;
    return OutcomeCode::kError;
  }
  return handle_slow(mmu, fault);
}

OutcomeCode answer(Mmu& mmu, Fault& fault) {
  const OutcomeCode code = ask_kvm(mmu, fault);
  return code == OutcomeCode::kMemoryFault ? exit_to_vmm(mmu, fault) : code;
}

}  // namespace

OutcomeCode handle_fault(Mmu& mmu, Fault& fault) {
  if (fault.reserved && is_current_mmio(mmu, fault)) {
    ++mmu.vcpus[fault.vcpu].mmio_hits;
    return OutcomeCode::kEmulate;
  }
  const OutcomeCode code = answer(mmu, fault);
  if (!fault.out_of_memory) count(mmu.vcpus[fault.vcpu], code);
  if (code == OutcomeCode::kWriteProtected) mmu.ops->emulated_write(fault.gfn);
  return code;
}

OutcomeCode handle_prefetch(Mmu& mmu, Fault& fault) {
  fault.prefetch = true;
  return answer(mmu, fault);
}

}  // namespace mmu
