#include "core/pml_log.hpp"

#include <algorithm>

#include "core/dirty_mark.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

bool is_any_logged(const Mmu& mmu) {
  return std::ranges::any_of(mmu.slot_sets, [](const MemslotSet& set) {
    return std::ranges::any_of(
        set.slots(), [](const auto& slot) { return slot->is_logged(); });
  });
}

}  // namespace

void log_dirty_bit(Mmu& mmu, std::uint16_t vcpu, AliasedGfn issued) {
  if (!is_any_logged(mmu)) return;
  if (mmu.pml->is_full(vcpu)) {
    // No fault need have begun this event.
    if (mmu.trace) mmu.trace->begin(vcpu);
    if (mmu.trace) mmu.trace->out().pml_full(vcpu);
    drain_pml(mmu, vcpu);
  }
  mmu.pml->append(vcpu, issued);
}

void drain_pml(Mmu& mmu, std::uint16_t vcpu) {
  if (mmu.pml == nullptr) return;
  mmu.pml->drain(vcpu, [&](AliasedGfn issued) {
    const Gfn gfn = mmu.alias.slot_gfn(issued);
    Memslot* slot = mmu.slots().find(gfn);
    if (slot != nullptr) mark_page_dirty(mmu, *slot, gfn, vcpu);
  });
}

void drain_pml(Mmu& mmu) {
  for (std::size_t i = 0; mmu.pml && i < mmu.vcpus.size(); ++i) {
    drain_pml(mmu, static_cast<std::uint16_t>(i));
  }
}

void forget_pml_unless_logged(Mmu& mmu) {
  if (mmu.pml == nullptr || is_any_logged(mmu)) return;
  for (std::size_t i = 0; i < mmu.vcpus.size(); ++i) {
    mmu.pml->drain(i, [](AliasedGfn) {});
  }
}

bool is_in_pml(const Mmu& mmu, Gfn slot_gfn) {
  const auto is_it = [&](AliasedGfn issued) {
    return mmu.alias.slot_gfn(issued) == slot_gfn;
  };
  for (std::size_t i = 0; mmu.pml && i < mmu.vcpus.size(); ++i) {
    if (mmu.pml->any_of(i, is_it)) return true;
  }
  return false;
}

}  // namespace mmu
