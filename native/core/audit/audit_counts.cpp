// What is counted: leaves, tables, memory, and the queue of tables that stand
// in for huge pages.
//
// KVM: kvm_update_page_stats(), account_nx_huge_page() (v6.16).
#include <algorithm>
#include <set>

#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

void check_entries(const Mmu& mmu, const Census& census,
                   AuditFindings& findings) {
  static constexpr std::string_view kNames[] = {
      "", "pages_4k", "pages_2m", "pages_1g", "512G leaves", "256T leaves"};
  TreeAccounts counted;
  census.for_each_entry([&](const EntrySeen& entry) {
    const bool is_leaf = entry.spte.is_leaf(entry.level);
    counted.leaves[number_of(entry.level)] += is_leaf;
    counted.mmio += entry.spte.is_mmio();
    if (is_leaf && entry.level > kMaxHugeLevel) {
      findings.add("a leaf stands where only links can", entry);
    }
  });
  for (unsigned level = 1; level < counted.leaves.size(); ++level) {
    findings.expect(kNames[level], mmu.accounts.leaves[level],
                    counted.leaves[level]);
  }
  findings.expect("the number of MMIO entries", mmu.accounts.mmio,
                  counted.mmio);
}

void check_tables(const Mmu& mmu, const Census& census,
                  AuditFindings& findings) {
  TreeAccounts counted;
  std::uint64_t pages[2] = {};
  std::uint64_t granules = 0;
  for (const TableSeen& seen : census.tables) {
    ++counted.tables[number_of(seen.table.level)];
    ++pages[seen.table.compact];
    granules += granules_of(seen.table);
  }
  for (unsigned level = 1; level < counted.tables.size(); ++level) {
    findings.expect(words("the number of level-", level, " tables"),
                    mmu.accounts.tables[level], counted.tables[level]);
  }
  const PagePool& pool = mmu.pool;
  findings.expect("the number of full pages", pool.live(false), pages[0]);
  findings.expect("the number of compact pages", pool.live(true), pages[1]);
  findings.expect("the size of all tables", pool.bytes_in_use(),
                  granules * kGranule);
  const auto freed = static_cast<std::uint64_t>(census.freed.size());
  findings.expect("the number of free pages",
                  pool.spare(false) + pool.spare(true), freed);
}

// A compact page counts its own entries: the first keys are in use, each once.
void check_keys(const Mmu& mmu, const TableSeen& seen,
                AuditFindings& findings) {
  const CompactPage& page = mmu.pool.compact(seen.table.id);
  std::set<std::uint16_t> keys;
  unsigned used = 0;
  for (unsigned slot = 0; slot < kCompactSlots; ++slot) {
    const bool is_used = page.keys[slot] < kEntries && page.entries[slot] != 0;
    const bool is_unused = page.keys[slot] == kNoKey && page.entries[slot] == 0;
    if (slot < page.header.count ? is_used : is_unused) ++used;
    if (is_used) keys.insert(page.keys[slot]);
  }
  if (used == kCompactSlots && keys.size() == page.header.count) return;
  findings.add(words("compact page ", seen.table.id, " counts ",
                     page.header.count, " entries, and has ", keys.size()),
               AuditPlace{gpa_of(seen.base).value, 1,
                          static_cast<std::uint8_t>(seen.root)});
}

// Tables that the recovery worker may zap are those that were made for a
// fetch, and know their tree.
void check_nx_queue(const Mmu& mmu, const Census& census,
                    AuditFindings& findings) {
  if (mmu.nx_pages == nullptr) return;
  std::set<PageId> marked;
  for (const TableSeen& seen : census.tables) {
    const PageHeader& header = mmu.pool.header(seen.table.id);
    const bool knows_root = header.root == static_cast<unsigned>(seen.root);
    if (header.nx_huge_page_disallowed && knows_root) {
      marked.insert(seen.table.id);
    }
  }
  const std::uint64_t size = mmu.nx_pages->size();
  std::uint64_t found = 0;
  for (PageId id = mmu.nx_pages->first(); id != kNoPage && found <= size;
       id = mmu.nx_pages->after(id), ++found) {
    if (marked.contains(id)) continue;
    findings.add(words("page ", id,
                       " is counted in nx_lpage_splits and keeps "
                       "no huge page out"));
  }
  findings.expect("nx_lpage_splits", size, found);
}

// What follows from how they are counted.
void check_statistics(const Mmu& mmu, const Census& census,
                      AuditFindings& findings) {
  const MmuStats& stats = mmu.stats;
  const std::uint64_t shadow_pages =
      mmu.ops->books() ? census.tables.size() : 0;
  findings.expect("mmu_cache_miss less mmu_shadow_zapped",
                  stats.mmu_cache_miss - stats.mmu_shadow_zapped, shadow_pages);
  const FlushCounts& flushes = mmu.flush.counts();
  findings.expect("remote_tlb_flush_requests",
                  flushes.remote_tlb_flush_requests, flushes.full);
  for (std::size_t i = 0; i < mmu.vcpus.size(); ++i) {
    const VcpuStats& of = mmu.vcpus[i];
    const std::uint64_t answered =
        of.pf_fixed + of.pf_emulate + of.pf_spurious + of.write_protected;
    if (answered <= of.pf_taken) continue;
    findings.add(words("vCPU ", i, " has pf_taken ", of.pf_taken,
                       ", and answers to ", answered, " faults"));
  }
}

}  // namespace

void check_counts(const Mmu& mmu, const Census& census,
                  AuditFindings& findings) {
  check_entries(mmu, census, findings);
  check_tables(mmu, census, findings);
  for (const TableSeen& seen : census.tables) {
    if (seen.table.compact) check_keys(mmu, seen, findings);
  }
  check_nx_queue(mmu, census, findings);
  check_statistics(mmu, census, findings);
}

}  // namespace mmu
