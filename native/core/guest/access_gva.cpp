#include "core/guest/access_gva.hpp"

#include <algorithm>

#include "core/guest/guest_calls.hpp"
#include "core/guest/walk.hpp"
#include "core/pferr.hpp"

namespace mmu {
namespace {

std::uint64_t error_code(std::uint8_t wanted) {
  return ((wanted & kAccessWrite) != 0 ? pferr::kWrite : 0) |
         ((wanted & kAccessFetch) != 0 ? pferr::kFetch : 0) |
         ((wanted & kAccessUser) != 0 ? pferr::kUser : 0);
}

AliasedGfn issued_gfn(const Mmu& mmu, std::uint64_t gpa) {
  return mmu.alias.space().as_hardware_sees({gpa >> kPageShift});
}

// The outcome of the last, the changes and flushes of all.
class Together {
 public:
  explicit Together(Mmu& mmu, std::uint16_t vcpu) : mmu_(mmu), vcpu_(vcpu) {}

  bool perform(AliasedGfn issued, std::uint8_t wanted) {
    Outcome out;
    if (!perform_access(mmu_, {issued, wanted, vcpu_}, out)) return false;
    sum_.code = out.code;
    sum_.level = out.level;
    sum_.tables_read += out.tables_read;
    sum_.sptes_changed += out.sptes_changed;
    sum_.flushed_pages += out.flushed_pages;
    sum_.flush = std::max(sum_.flush, out.flush);
    return true;
  }
  Outcome ended(OutcomeCode code) {
    sum_.code = code;
    sum_.level = 0;
    return sum_;
  }
  const Outcome& outcome() const { return sum_; }

 private:
  Mmu& mmu_;
  std::uint16_t vcpu_;
  Outcome sum_;
};

std::uint8_t table_access(const Mmu& mmu, std::uint64_t gpa) {
  const Memslot* slot = mmu.slots().find({gpa >> kPageShift});
  const bool is_written =
      mmu.config.host.ad_bits && slot != nullptr && !slot->is_readonly();
  return is_written ? kAccessRead | kAccessWrite : kAccessRead;
}

}  // namespace

bool perform_gva_access(Mmu& mmu, const GvaAccess& access, Outcome& out) {
  GuestVcpu& of = *guest_vcpu(mmu, access.vcpu).value();
  std::vector<GuestReference>& trail = mmu.guest->trail;
  trail.clear();
  const GuestTranslation found = translate_unlogged(
      mmu, access.vcpu, access.gva, error_code(access.wanted), trail);
  of.last_fault.reset();
  Together together(mmu, access.vcpu);
  for (const GuestReference& table : trail) {
    if (!together.perform(issued_gfn(mmu, table.gpa),
                          table_access(mmu, table.gpa))) {
      return false;
    }
  }
  if (found.ended != GuestTranslation::Ended::kMapped) {
    of.last_fault = found.fault;
    out = together.ended(OutcomeCode::kRetry);
    return true;
  }
  if (!fits(found.gpa, mmu.config.address_bits)) {
    out = together.ended(OutcomeCode::kEmulate);
    return true;
  }
  if (!together.perform(issued_gfn(mmu, found.gpa),
                        access.wanted & kAccessMask)) {
    return false;
  }
  out = together.outcome();
  return true;
}

}  // namespace mmu
