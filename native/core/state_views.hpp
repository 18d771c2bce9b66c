// What can be seen of a VM: its tables, what they map, what was flushed and
// counted.
//
// Part of machine.hpp, which is where to look first.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mmu {

// 128 bits of a VM's state: fingerprint.hpp.
struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

// The same, by whose it is.
struct StateParts {
  Fingerprint shared;              // of all vCPUs
  std::vector<Fingerprint> vcpus;  // what each has alone

  friend bool operator==(const StateParts&, const StateParts&) = default;
};
// Of the whole: which vCPU is which is no part of it.
Fingerprint fingerprint(const StateParts& parts);

// One entry on the path of a walk, root first.
struct StepView {
  std::uint8_t level = 0;
  bool is_leaf = false;
  std::uint64_t gpa = 0;   // first gpa that the entry covers
  std::uint64_t spte = 0;  // raw, as hardware and KVM would see it
};

// Many walks that only look. An entry is that of the last step, 0 where there
// is no root; the level is the leaf's, 0 where there is none.
struct WalkColumns {
  const double* gpa = nullptr;
  std::uint64_t* spte = nullptr;
  std::uint8_t* level = nullptr;
  std::size_t count = 0;
};

// An entry on hardware's way to a page, taken apart.
struct EntryView {
  std::uint8_t level = 0;
  std::uint8_t rights = 0;  // bits of the access column: R 1, W 2, X 4
  bool accessed = false;
  bool dirty = false;
  std::uint32_t table = 0;  // tells the tables of one view apart
  std::uint64_t gpa = 0;    // first gpa that it covers, as issued
  std::uint64_t spte = 0;   // raw, as hardware and KVM would see it
  std::string_view state;   // leaf, link, mmio, blocked, none
};

// Hardware's way through one alias, root first; empty without a root.
struct WayView {
  std::uint64_t gpa = 0;  // of the page, as issued
  std::uint8_t root = 0;  // 0 direct, 1 private
  std::vector<EntryView> entries;
};

// What a vCPU's TLB has for a page: a leaf, or a link on the way to it.
struct CachedView {
  std::uint32_t vcpu = 0;
  std::uint8_t level = 0;  // of the size that a leaf is held as, or a link's
  std::uint8_t root = 0;
  std::uint8_t rights = 0;
  bool is_link = false;
  bool is_loadable = false;  // false: of a root that was dropped
  bool is_overdue = false;   // a flush that is over should have removed it
  std::uint64_t gpa = 0;     // of the page, as issued
  std::uint64_t pfn = 0;     // of the page; 0 for a link
};

// A page through every alias.
struct PageView {
  std::vector<WayView> ways;       // by alias
  std::vector<CachedView> cached;  // by alias, then by vCPU
};

// A table page.
struct TableView {
  std::uint64_t gpa = 0;  // first gpa that it covers, as its hash key says it
  std::uint32_t parents = 0;
  std::uint8_t level = 0;
  std::uint8_t root = 0;  // 0 direct, 1 private
};

// Leaves that hardware reaches through one alias.
struct AliasLeaves {
  std::uint64_t offset = 0;        // gpa bits of the alias
  std::uint64_t by_level[4] = {};  // index 0 unused
};

// Flushes over the VM's life.
struct FlushView {
  std::uint64_t none = 0;   // owed and elided
  std::uint64_t range = 0;  // successful provider calls
  std::uint64_t full = 0;
  std::uint64_t pages = 0;  // of the range calls
};

// A rule that has fired.
struct ViolationView {
  std::string_view rule;
  std::string_view defect;  // known defect of the strategy, or empty
  std::string_view reason;
  std::uint64_t count = 0;
  std::uint64_t first_event = 0;
  std::uint64_t gpa = 0;  // of the first, as issued
};

// An entry or table that an audit speaks of.
struct AuditPlace {
  std::uint64_t gpa = 0;  // the first, as issued
  std::uint8_t level = 0;
  std::uint8_t root = 0;  // 0 direct, 1 private
};

// One thing that a structural rule finds wrong.
struct AuditFinding {
  std::string_view rule;
  std::string_view defect;  // known defect of the strategy, or empty
  std::string reason;       // one clause with the values
  std::optional<AuditPlace> place;
};

// What an audit found: of each rule how much, and the first of it.
struct AuditReport {
  struct Count {
    std::string_view rule;
    std::uint64_t count = 0;
  };

  std::uint64_t events = 0;            // that the VM had had
  std::vector<Count> counts;           // of rules with findings, by id
  std::vector<AuditFinding> findings;  // by rule
};

struct LeafView {
  std::uint64_t gpa = 0;  // as hardware reaches it, alias bits included
  std::uint64_t spte = 0;
  std::uint8_t level = 0;
};

// A statistic under the name that the modelled kernel has for it.
struct NamedCount {
  std::string_view name;
  std::uint64_t value = 0;
};

struct TableCounts {
  std::uint64_t roots = 0;
  // Table pages in use by level, index 0 unused.
  std::uint64_t by_level[6] = {};
  // Bytes of the arena that hold tables now, free ones not counted.
  std::uint64_t bytes_in_use = 0;
  // Bytes of the arena that are backed by memory.
  std::uint64_t bytes_committed = 0;
};

// Rounds of KVM_GET_DIRTY_LOG over the VM's life: how many there were, how
// many found at least one bit, and how many bits they took in all.
struct DirtyRounds {
  std::uint64_t rounds = 0;
  std::uint64_t reaping = 0;
  std::uint64_t pages = 0;
};

}  // namespace mmu
