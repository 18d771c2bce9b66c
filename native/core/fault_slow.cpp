// The part of a fault that finds out what backs the frame, and maps it.
//
// KVM: kvm_mmu_faultin_pfn(), direct_page_fault() (v6.16).
#include "core/fault_steps.hpp"
#include "core/flavour.hpp"
#include "core/host_ops.hpp"

namespace mmu {
namespace {

OutcomeCode missed_private(const Mmu& mmu, OutcomeCode shared) {
  switch (mmu.traits.private_miss) {
    case PrivateMiss::kMemoryFault:
      return OutcomeCode::kMemoryFault;
    case PrivateMiss::kError:
      return OutcomeCode::kError;
    case PrivateMiss::kAsShared:
      return shared;
  }
  return shared;
}

bool asks_vmm(const Mmu& mmu, const Fault& fault) {
  return fault.is_private && mmu.traits.private_miss != PrivateMiss::kAsShared;
}

// What a fault notes before it looks anything up, and asks for again before it
// maps: is_page_fault_stale().
struct Noted {
  std::uint64_t sequence;
  std::uint64_t generation;
  std::uint32_t root;
};

Noted note(Mmu& mmu) {
  return {mmu.invalidations.sequence(), mmu.slots().generation(),
          mmu.incarnation(RootId::kDirect)};
}

// Whatever the fault is about: the root that is looked at is the direct one. A
// hole is not checked against invalidations, its entry has the generation.
bool is_stale(Mmu& mmu, const Fault& fault, const Noted& noted, bool has_slot) {
  if (noted.root != mmu.incarnation(RootId::kDirect)) return true;
  if (noted.generation != mmu.slots().generation()) return true;
  return has_slot && mmu.invalidations.must_retry(fault.gfn, noted.sequence);
}

// From here on the fault holds the lock. False: it has to begin again.
// KVM: read_lock(&kvm->mmu_lock) and what follows in kvm_tdp_mmu_page_fault().
bool lock(Mmu& mmu, Fault& fault, const Noted& noted, bool has_slot) {
  if (!let_others_run(mmu, InterleaveAt::kBeforeLock)) return true;
  if (is_stale(mmu, fault, noted, has_slot)) return false;
  fault.out_of_memory = !mmu.ops->ensure_room(fault);
  return !fault.out_of_memory;
}

// A vCPU has one before it runs; here it gets one when a table is first wanted.
void load_root(Mmu& mmu, const Fault& fault) {
  if (!mmu.tree(fault.root).has_root()) mmu.ops->make_root(fault.root);
}

// KVM: kvm_handle_noslot_fault(), vcpu_cache_mmio_info().
OutcomeCode handle_no_slot(Mmu& mmu, Fault& fault, const Noted& noted) {
  load_root(mmu, fault);
  if (asks_vmm(mmu, fault)) return missed_private(mmu, OutcomeCode::kEmulate);
  mmu.of_vcpu(fault.vcpu).mmio = {fault.gfn, mmu.slots().generation()};
  if (!mmu.config.host.mmio_caching) return OutcomeCode::kEmulate;
  if (fault.gfn > max_gfn(mmu.config)) return OutcomeCode::kEmulate;
  if (!lock(mmu, fault, noted, false)) return OutcomeCode::kRetry;
  return mmu.ops->map(fault, nullptr);
}

// An answer that stands for the VMM's emulation, which has no private memory.
OutcomeCode emulate(const Mmu& mmu, const Fault& fault) {
  return fault.is_private ? missed_private(mmu, OutcomeCode::kEmulate)
                          : OutcomeCode::kEmulate;
}

// One of KVM's own slots that is not for this access; other than kFixed is an
// answer. KVM: kvm_mmu_faultin_pfn(), APIC_ACCESS_PAGE_PRIVATE_MEMSLOT.
OutcomeCode look_at_internal(const Mmu& mmu, const Fault& fault,
                             const Memslot& slot) {
  if (!slot.is_internal()) return OutcomeCode::kFixed;
  if (fault.is_private && mmu.traits.private_internal_is_error) {
    return OutcomeCode::kError;
  }
  const bool emulated = slot.id == kApicAccessMemslot && !mmu.config.host.apicv;
  return emulated ? emulate(mmu, fault) : OutcomeCode::kFixed;
}

// True: the guest does something else until the page has come.
// KVM: kvm_setup_async_pf(), kvm_find_async_pf_gfn().
bool waits_apart(Mmu& mmu, const Fault& fault) {
  if (!mmu.config.host.async_page_faults || fault.prefetch) return false;
  return mmu.of_vcpu(fault.vcpu).async.queue(fault.gfn, fault.issued);
}

// What the host has for the fault; other than kFixed is an answer.
// KVM: __kvm_mmu_faultin_pfn(), kvm_handle_error_pfn().
OutcomeCode fault_in(Mmu& mmu, Fault& fault, const Memslot& slot) {
  if (slot.is_readonly() && fault.is_write()) return emulate(mmu, fault);
  if (mmu.has_own_frames(fault.is_private)) return OutcomeCode::kFixed;
  HostAnswer host = look_up_host(mmu, slot, fault.gfn);
  if (host.state == HostState::kIo) {
    if (waits_apart(mmu, fault)) return OutcomeCode::kRetry;
    mmu.host.make_resident(page_of(slot.hva_of(fault.gfn)));
    host = look_up_host(mmu, slot, fault.gfn);
  }
  if (host.state == HostState::kPoison) return OutcomeCode::kRetry;
  if (host.state == HostState::kNone) return OutcomeCode::kError;
  fault.pfn = host.pfn;
  fault.map_writable = host.state == HostState::kReadWrite;
  const bool may = fault.map_writable || !fault.is_write();
  return may ? OutcomeCode::kFixed : OutcomeCode::kError;
}

}  // namespace

// KVM: direct_page_fault(), kvm_tdp_mmu_page_fault() and what they call, in
// their order.
OutcomeCode handle_slow(Mmu& mmu, Fault& fault) {
  const Noted noted = note(mmu);
  Memslot* slot = visible_slot(mmu, fault);
  if (slot == nullptr) return handle_no_slot(mmu, fault, noted);
  const OutcomeCode own = look_at_internal(mmu, fault, *slot);
  const bool waits =
      own == OutcomeCode::kFixed && is_stale(mmu, fault, noted, true);
  if (waits) return OutcomeCode::kRetry;
  load_root(mmu, fault);
  if (own != OutcomeCode::kFixed) return own;
  const OutcomeCode found = fault_in(mmu, fault, *slot);
  if (found != OutcomeCode::kFixed) return found;
  if (!lock(mmu, fault, noted, true)) return OutcomeCode::kRetry;
  if (mmu.traits.on_other_alias != OnOtherAlias::kNothing) {
    mmu.ops->zap_other_alias(fault);
  }
  return mmu.ops->map(fault, slot);
}

}  // namespace mmu
