#include "core/page_view.hpp"

#include "core/formats/shown.hpp"
#include "core/query.hpp"

namespace mmu {
namespace {

std::string_view state_of(Spte spte, Level level) {
  if (spte.is_leaf(level)) return "leaf";
  if (spte.is_present()) return "link";
  if (spte.is_mmio()) return "mmio";
  if (spte.is_blocked()) return "blocked";
  return "none";
}

EntryView entry_view(const ShownSptes& shown, Spte spte, TableRef table,
                     AliasedGfn gfn) {
  const Level level = table.level;
  const bool is_present = spte.is_present();
  // Which format a table has is our business.
  const Spte plain = spte.is_link(level) ? spte.without(link::kCompact) : spte;
  return {.level = static_cast<std::uint8_t>(level),
          .rights = static_cast<std::uint8_t>(is_present ? spte.permissions()
                                                         : std::uint64_t{0}),
          .accessed = is_present && spte.has(ept::kAccessed),
          .dirty = spte.is_leaf(level) && spte.has(ept::kDirty),
          .table = table.id,
          .gpa = gpa_of(round_down(gfn, level)).value,
          .spte = shown(plain),
          .state = state_of(spte, level)};
}

WayView way_to(const Mmu& mmu, AliasedGfn gfn) {
  const RootId root = mmu.alias.root_of(gfn);
  const PageTable& tree = mmu.tree(root);
  const ShownSptes shown(mmu.config);
  WayView way{.gpa = gpa_of(gfn).value,
              .root = static_cast<std::uint8_t>(root),
              .entries = {}};
  if (!tree.has_root()) return way;
  for (TableRef table = tree.root();;) {
    const Level level = table.level;
    const Spte spte = tree.get(table, table_index(gfn, level));
    way.entries.push_back(entry_view(shown, spte, table, gfn));
    if (level == Level::k4K || !spte.is_link(level)) return way;
    table = link::table(spte, below(level));
  }
}

bool owes(const Tlb& tlb, const TlbEntry& entry, AliasedGfn gfn) {
  bool is_owed = false;
  tlb.each_owed(entry, [&](AliasedRange frames) {
    is_owed = is_owed || frames.contains(gfn);
  });
  return is_owed;
}

CachedView cached_view(const Mmu& mmu, unsigned vcpu, const Tlb& tlb,
                       const TlbEntry& entry, AliasedGfn gfn) {
  const bool is_link = is_link_kind(entry.kind);
  const Level level = is_link ? level_of(entry.level) : span_of(entry.kind);
  return {.vcpu = vcpu,
          .level = static_cast<std::uint8_t>(number_of(level)),
          .root = entry.root,
          .rights = entry.rights,
          .is_link = is_link,
          .is_loadable = entry.incarnation == mmu.incarnations[entry.root],
          .is_overdue = owes(tlb, entry, gfn),
          .gpa = gpa_of(gfn).value,
          .pfn = is_link ? 0 : entry.pfn_of(gfn).value};
}

void append_cached(const Mmu& mmu, AliasedGfn gfn,
                   std::vector<CachedView>& cached) {
  if (mmu.tlbs == nullptr) return;
  for (unsigned vcpu = 0; vcpu < mmu.tlbs->vcpus(); ++vcpu) {
    mmu.tlbs->for_each_tlb_of(vcpu, [&](Tlb& tlb) {
      tlb.for_each_in({gfn, {gfn.value + 1}}, [&](const TlbEntry& entry) {
        cached.push_back(cached_view(mmu, vcpu, tlb, entry, gfn));
      });
    });
  }
}

}  // namespace

Result<PageView> view_page(const Mmu& mmu, std::uint64_t gpa) {
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  const AliasSpace& space = mmu.alias.space();
  const Gfn gfn = mmu.alias.canonical(space.as_hardware_sees(gfn_of(Gpa{gpa})));
  PageView view;
  for (unsigned alias = 0; alias < space.alias_count(); ++alias) {
    const AliasedGfn issued{gfn.value + space.offset_of(alias)};
    view.ways.push_back(way_to(mmu, issued));
    append_cached(mmu, issued, view.cached);
  }
  return view;
}

}  // namespace mmu
