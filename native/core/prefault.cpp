#include "core/prefault.hpp"

#include "core/flavour.hpp"
#include "core/host_ops.hpp"
#include "core/query.hpp"

namespace mmu {
namespace {

// Where the strategy is KVM's merged one the VMM gives addresses without alias
// bits, and KVM adds what the attribute asks for.
bool chooses_alias(const Mmu& mmu) { return mmu.traits.external_tables; }

AliasedGfn issued_for(const Mmu& mmu, AliasedGfn gfn) {
  const AliasSpace& space = mmu.alias.space();
  if (!chooses_alias(mmu)) return space.as_hardware_sees(gfn);
  const bool is_private = mmu.private_frames.contains({gfn.value});
  return is_private ? gfn : AliasedGfn{gfn.value + space.offset_of(1)};
}

// Nothing marks it as a read, a write or a fetch.
Fault fault_ahead(const Mmu& mmu, AliasedGfn issued, unsigned vcpu,
                  std::uint8_t access) {
  return make_fault(mmu.alias, issued, access, static_cast<std::uint16_t>(vcpu),
                    0);
}

// KVM: kvm_tdp_map_page(). A fault that has to be tried again has no end here,
// as nothing else happens meanwhile.
std::string_view errno_of(OutcomeCode code, const Fault& fault) {
  if (fault.out_of_memory) return "ENOMEM";
  switch (code) {
    case OutcomeCode::kRetry:
      return "EAGAIN";
    case OutcomeCode::kEmulate:
      return "ENOENT";
    case OutcomeCode::kMemoryFault:
    case OutcomeCode::kError:
      return "EFAULT";
    default:
      return {};
  }
}

// The frames up to the end of the page that was mapped.
std::uint64_t pages_done(AliasedGfn gfn, Level level) {
  const std::uint64_t pages = pages_per(std::max(level, Level::k4K));
  return pages - (gfn.value & (pages - 1));
}

// Whatever the address is: the root comes first, and then there is no second
// dimension to fault in. KVM: kvm_arch_vcpu_pre_fault_memory().
std::string_view prefault_root(Mmu& mmu, unsigned vcpu) {
  const std::string_view refused = mmu.ops->load_root(vcpu);
  return refused.empty() ? "EOPNOTSUPP" : refused;
}

}  // namespace

Prefaulted prefault(Mmu& mmu, unsigned vcpu, AliasedRange frames) {
  Prefaulted done;
  if (mmu.ops->loads_roots()) {
    done.errno_name = prefault_root(mmu, vcpu);
    return done;
  }
  while (done.pages < frames.size()) {
    const AliasedGfn gfn{frames.start.value + done.pages};
    if (chooses_alias(mmu) && mmu.alias.space().is_aliased(gfn.value)) {
      done.errno_name = "EINVAL";
      return done;
    }
    Fault fault = fault_ahead(mmu, issued_for(mmu, gfn), vcpu, 0);
    const OutcomeCode code = handle_prefetch(mmu, fault);
    done.errno_name = errno_of(code, fault);
    if (!done.errno_name.empty()) return done;
    done.level = fault.level;
    done.pages =
        std::min(done.pages + pages_done(gfn, fault.level), frames.size());
  }
  return done;
}

// KVM: kvm_check_async_pf_completion().
bool finish_async_faults(Mmu& mmu, unsigned vcpu) {
  AsyncFaults& waiting = mmu.of_vcpu(vcpu).async;
  for (std::size_t i = 0; i < waiting.pending().size(); ++i) {
    const AliasedGfn issued = waiting.pending()[i].issued;
    Fault fault = fault_ahead(mmu, issued, vcpu, kAccessRead);
    const Memslot* slot = visible_slot(mmu, fault);
    if (slot != nullptr) {
      mmu.host.make_resident(page_of(slot->hva_of(fault.gfn)));
    }
    const OutcomeCode code = handle_prefetch(mmu, fault);
    if (fault.out_of_memory) {
      waiting.drop_first(i);
      return false;
    }
    if (code == OutcomeCode::kFixed) ++mmu.vcpus[vcpu].pf_fixed;
  }
  waiting.drop_first(waiting.pending().size());
  return true;
}

// The ioctl has done something, or says why not.
Result<PrefaultResult> prefault_memory(Mmu& mmu, unsigned vcpu,
                                       std::uint64_t gpa, std::uint64_t bytes) {
  if (vcpu >= mmu.vcpu_ids.size()) return bad_vcpu(mmu, vcpu);
  const bool aligned = (gpa | bytes) % kPageSize == 0;
  if (!aligned || bytes == 0 || gpa + bytes < gpa) {
    return PrefaultResult{0, "EINVAL"};
  }
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  const std::uint64_t end = bit(mmu.config.address_bits);
  const std::uint64_t last = std::min(end, gpa + bytes);
  mmu.flush.begin_event(true);
  const Prefaulted done =
      prefault(mmu, vcpu, {gfn_of(Gpa{gpa}), {last >> kPageShift}});
  const bool any = done.pages != 0;
  return PrefaultResult{done.pages << kPageShift,
                        any ? std::string_view() : done.errno_name};
}

}  // namespace mmu
