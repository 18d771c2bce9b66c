// What a vCPU has cached is what the tables say, or grants less.
//
// Between two events every flush that was owed has been served, or asked for,
// and then nothing is there. So nothing is left to excuse an entry but what
// owes no flush: ageing, and a root that was dropped, which no vCPU can load
// any more.
#include "core/audit/audit_check.hpp"
#include "core/reach.hpp"
#include "core/structure_cache.hpp"

namespace mmu {
namespace {

bool is_loadable(const Mmu& mmu, const TlbEntry& entry) {
  return entry.incarnation == mmu.incarnations[entry.root];
}

// Whether a write through a slot's leaf would be lost to its log. Private
// memory is in none.
bool is_clean(const Mmu& mmu, AliasedGfn issued, Spte leaf) {
  if (mmu.is_private(mmu.alias.root_of(issued), leaf)) return false;
  const Gfn gfn = mmu.alias.slot_gfn(issued);
  const Memslot* slot = slot_at(mmu, gfn);
  return slot != nullptr && slot->dirty != nullptr && !slot->has_dirty(gfn);
}

// Where there are no A/D bits, the first frame that is clean, if one is.
AliasedGfn first_clean(const Mmu& mmu, AliasedRange part, Spte leaf) {
  if (mmu.config.host.ad_bits) return part.start;
  for (AliasedGfn at = part.start; at < part.end; ++at.value) {
    if (is_clean(mmu, at, leaf)) return at;
  }
  return part.start;
}

// With what ageing has taken: W, where it may be given back, and the rest
// until the next use. A write that hardware would have to mark walks.
std::uint64_t most_rights(const Mmu& mmu, AliasedGfn issued, Spte leaf) {
  if (mmu.config.host.ad_bits) {
    const std::uint64_t unmarked = leaf.has(ept::kDirty) ? 0 : ept::kWrite;
    return leaf.permissions() & ~unmarked;
  }
  const std::uint64_t saved = leaf.raw >> ept::kSavedShift;
  const std::uint64_t aged =
      leaf.permissions() == 0 ? saved & (ept::kRead | ept::kExec) : 0;
  const bool may_write =
      leaf.has(ept::kMmuWritable) && !is_clean(mmu, issued, leaf);
  return leaf.permissions() | aged | (may_write ? ept::kWrite : 0);
}

// Both are about what a range provider was asked.
std::string_view defects_of(const Mmu& mmu) {
  return mmu.flush.has_range_hook() ? "D2 B14" : "";
}

// Frames of one leaf differ by what is logged of them; the first that is clean
// stands for them all. True if something was found.
bool check_part(const Mmu& mmu, unsigned vcpu, const TlbEntry& entry,
                AliasedRange part, const Reached& now,
                AuditFindings& findings) {
  const AliasedGfn at = first_clean(mmu, part, now.spte);
  const AuditPlace place{gpa_of(at).value, entry.level, entry.root};
  const std::string_view defects = defects_of(mmu);
  if (!now.is_leaf()) {
    findings.add(words("vCPU ", vcpu, " has cached what is no longer mapped"),
                 place, defects);
  } else if (now.pfn_of(at) != entry.pfn_of(at)) {
    findings.add(
        words("vCPU ", vcpu, " has cached host frame ", entry.pfn_of(at).value,
              ", where the tables have ", now.pfn_of(at).value),
        place, defects);
  } else if ((entry.rights & ~most_rights(mmu, at, now.spte)) != 0) {
    findings.add(
        words("vCPU ", vcpu, " has cached rights ", entry.rights,
              ", where the tables grant ", most_rights(mmu, at, now.spte)),
        place, defects);
  } else {
    return false;
  }
  return true;
}

// One finding an entry.
void check_leaf(const Mmu& mmu, unsigned vcpu, const TlbEntry& entry,
                AuditFindings& findings) {
  bool is_found = false;
  for_each_part(mmu, entry.frames(),
                [&](AliasedRange part, const Reached& now) {
                  if (is_found) return;
                  is_found = check_part(mmu, vcpu, entry, part, now, findings);
                });
}

void check_cached_link(const Mmu& mmu, unsigned vcpu, const TlbEntry& entry,
                       AuditFindings& findings) {
  if (is_link_there(mmu, entry)) return;
  findings.add(words("vCPU ", vcpu, " has cached a link that is gone"),
               AuditPlace{gpa_of(entry.gfn).value, entry.level, entry.root},
               defects_of(mmu));
}

}  // namespace

void check_tlbs(const Mmu& mmu, const Census&, AuditFindings& findings) {
  if (mmu.tlbs == nullptr) return;
  for (unsigned vcpu = 0; vcpu < mmu.tlbs->vcpus(); ++vcpu) {
    mmu.tlbs->for_each_tlb_of(vcpu, [&](Tlb& tlb) {
      tlb.for_each([&](TlbEntry& entry) {
        if (!is_loadable(mmu, entry)) return;
        const bool is_link = is_link_kind(entry.kind);
        (is_link ? check_cached_link : check_leaf)(mmu, vcpu, entry, findings);
      });
    });
  }
}

}  // namespace mmu
