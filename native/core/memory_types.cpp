#include "core/memory_types.hpp"

#include <algorithm>

#include "core/vm_events.hpp"

namespace mmu {

Level allowed_by_types(const Mmu& mmu, AliasedGfn issued, Level goal) {
  if (!mmu.mtrrs) return goal;
  const Gfn asked = mmu.alias.mtrr_gfn(issued);
  Level cap = kMaxHugeLevel;
  while (cap > Level::k4K && !has_one_type(mmu, asked, cap)) cap = below(cap);
  return std::min(goal, cap);
}

bool has_one_type(const Mmu& mmu, Gfn gfn, Level level) {
  if (!mmu.mtrrs) return true;
  const Gfn first = round_down(gfn, level);
  return mmu.mtrrs->is_uniform({first, {first.value + pages_per(level)}});
}

// Later kernels leave the choice to the guest's PAT; neither sets IPAT.
std::uint64_t type_bits(const Mmu& mmu, Gfn first) {
  if (!mmu.mtrrs) return ept::kWriteBack | ept::kIgnorePat;
  if (mmu.config.kernel != Kernel::k510) return ept::kWriteBack;
  const auto type = static_cast<std::uint64_t>(mmu.mtrrs->type_of(first));
  return type << ept::kMemoryTypeShift;
}

Result<Outcome> set_mtrr(Mmu& mmu, std::uint32_t msr, std::uint64_t value) {
  if (!mmu.mtrrs) {
    return Error{ErrorCode::kUnsupported,
                 {},
                 "MTRRs do not count in this VM: host.memoryTypes is off, or "
                 "vendor or strategy ignore them"};
  }
  const std::uint64_t before = mmu.accounts.changed;
  mmu.flush.begin_event(false);
  if (!mmu.mtrrs->write(msr, value)) {
    return Error{ErrorCode::kMtrr, {{{"msr", msr}, {"value", value}}}};
  }
  const GfnRange frames = mmu.mtrrs->range_of(msr);
  if (!frames.empty()) zap_range(mmu, frames);
  return done_since(mmu, before);
}

}  // namespace mmu
