// What a vCPU has cached is what the tables say, or grants less.
//
// Between two events every flush that was owed has been served, so nothing
// else is left to excuse it but what owes no flush: ageing, and a root that
// was dropped, which no vCPU can load any more.
#include "core/audit/audit_check.hpp"
#include "core/reach.hpp"

namespace mmu {
namespace {

bool is_loadable(const Mmu& mmu, const TlbEntry& entry) {
  return entry.incarnation == mmu.incarnations[entry.root];
}

// Whether a write through a slot's leaf would be lost to its log. Private
// memory is in none.
bool is_clean(const Mmu& mmu, const TlbEntry& entry, Spte leaf) {
  const bool is_private =
      entry.root == static_cast<std::uint8_t>(RootId::kPrivate) ||
      mmu.is_private_leaf(leaf);
  if (is_private) return false;
  const Gfn gfn = mmu.alias.slot_gfn(entry.gfn);
  const Memslot* slot = slot_at(mmu, gfn);
  return slot != nullptr && slot->dirty != nullptr && !slot->has_dirty(gfn);
}

// With what ageing has taken: W, where it may be given back, and the rest
// until the next use. A write that hardware would have to mark walks.
std::uint64_t most_rights(const Mmu& mmu, const TlbEntry& entry, Spte leaf) {
  if (mmu.config.host.ad_bits) {
    const std::uint64_t unmarked = leaf.has(ept::kDirty) ? 0 : ept::kWrite;
    return leaf.permissions() & ~unmarked;
  }
  const std::uint64_t saved = leaf.raw >> ept::kSavedShift;
  const std::uint64_t aged =
      leaf.permissions() == 0 ? saved & (ept::kRead | ept::kExec) : 0;
  const bool may_write =
      leaf.has(ept::kMmuWritable) && !is_clean(mmu, entry, leaf);
  return leaf.permissions() | aged | (may_write ? ept::kWrite : 0);
}

void check_entry(const Mmu& mmu, unsigned vcpu, const TlbEntry& entry,
                 AuditFindings& findings) {
  if (!is_loadable(mmu, entry)) return;
  const Reached now = reach(mmu, entry.gfn);
  const AuditPlace place{gpa_of(entry.gfn).value, entry.level, entry.root};
  // Both are about what a range provider was asked.
  const std::string_view defects = mmu.flush.has_range_hook() ? "D2 B14" : "";
  if (!now.is_leaf()) {
    findings.add(words("vCPU ", vcpu, " has cached what is no longer mapped"),
                 place, defects);
  } else if (now.pfn_of(entry.gfn) != entry.pfn) {
    findings.add(
        words("vCPU ", vcpu, " has cached host frame ", entry.pfn.value,
              ", where the tables have ", now.pfn_of(entry.gfn).value),
        place, defects);
  } else if ((entry.rights & ~most_rights(mmu, entry, now.spte)) != 0) {
    findings.add(
        words("vCPU ", vcpu, " has cached rights ", entry.rights,
              ", where the tables grant ", most_rights(mmu, entry, now.spte)),
        place, defects);
  }
}

}  // namespace

void check_tlbs(const Mmu& mmu, const Census&, AuditFindings& findings) {
  if (mmu.tlbs == nullptr) return;
  for (unsigned vcpu = 0; vcpu < mmu.tlbs->vcpus(); ++vcpu) {
    Tlb& tlb = (*mmu.tlbs)[vcpu];
    tlb.for_each(
        [&](TlbEntry& entry) { check_entry(mmu, vcpu, entry, findings); });
  }
}

}  // namespace mmu
