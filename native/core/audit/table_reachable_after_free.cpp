// Rule table-reachable-after-free: every link leads to a table page in use, of
// the level below, and the pages that are in use and those that are free make
// up the arena.
#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

std::string_view text_of(LinkEnd end) {
  switch (end) {
    case LinkEnd::kTable:
      return "to a table";
    case LinkEnd::kOutside:
      return "to no page of the arena";
    case LinkEnd::kMidPage:
      return "into the middle of a page";
    case LinkEnd::kFreed:
      return "to a page that was freed";
    case LinkEnd::kWrongLevel:
      return "to a table of another level";
    case LinkEnd::kTwice:
      return "to a table that another link leads to";
    case LinkEnd::kNotHashed:
      return "to a page that the hash does not hold";
  }
  return {};
}

void check_link(const LinkSeen& link, AuditFindings& findings) {
  if (link.end == LinkEnd::kTable) return;
  const bool is_root = link.entry.at.table == kNoPage;
  findings.add(words(is_root ? "the root" : "a link", " leads ",
                     text_of(link.end), ", page ", link.to.id),
               link.entry);
}

// Where a tree's table grows, the link to it is found by what it notes itself.
void check_notes(const Mmu& mmu, const TableSeen& seen,
                 AuditFindings& findings) {
  const PageHeader& header = mmu.pool.header(seen.table.id);
  const EntrySeen& entry = seen.from.entry;
  const bool knows_parent =
      header.parent == entry.at.table &&
      (header.parent == kNoPage || header.parent_index == entry.at.index);
  if (header.gfn == seen.base && knows_parent) return;
  findings.add(words("table page ", seen.table.id,
                     " notes another place than the link that leads to it, "
                     "page ",
                     entry.at.table, " entry ", entry.at.index),
               entry);
}

// Whoever takes it next relies on it.
void check_emptiness(const Mmu& mmu, TableRef page, AuditFindings& findings) {
  std::uint64_t used = 0;
  for_each_word(mmu.pool, page, [&](unsigned, Spte) { ++used; });
  if (used == 0) return;
  findings.add(words("free page ", page.id, " holds entries: ", used));
}

class TableReachableAfterFree final : public Check {
 public:
  static constexpr std::string_view kId = "table-reachable-after-free";
  static constexpr std::string_view kSentence =
      "a link leads to a page that is no table in use, or a page is lost";
  static constexpr std::string_view kReason =
      "A page that was freed is soon something else's: hardware that still "
      "gets there takes whatever it holds for entries. A page that is lost is "
      "memory that the host never gets back.";
  static constexpr std::string_view kSource =
      "KVM: handle_removed_pt(), tdp_mmu_free_sp_rcu_callback() and "
      "kvm_mmu_commit_zap_page(), v6.16: a table is freed once nobody can "
      "reach it";

  static void check(const Mmu& mmu, const Census& census,
                    AuditFindings& findings) {
    for (const LinkSeen& link : census.links) check_link(link, findings);
    if (!mmu.ops->books()) {
      for (const TableSeen& table : census.tables) {
        check_notes(mmu, table, findings);
      }
    }
    check_emptiness(mmu, {kNoPage, Level::kNone, false}, findings);
    for (const TableRef page : census.freed) {
      check_emptiness(mmu, page, findings);
    }
    for (const PageId page : census.overlapping) {
      findings.add(words("page ", page, " is in use or free twice"));
    }
    for (const GranuleRun& run : census.lost) {
      findings.add(words("from page ", run.first, " on ", run.count * kGranule,
                         " bytes are neither in use nor free"));
    }
  }
};

const RegisterCheck<TableReachableAfterFree> registered;

}  // namespace
}  // namespace mmu
