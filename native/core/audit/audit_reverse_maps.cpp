// Every leaf of a slot is in the one list of its frame and level, blocked ones
// too, and the lists hold nothing else.
//
// What outlived its slot is in no list while the frame has none; if another
// slot has come, that one lacks it, which is defect K1's doing.
//
// KVM: kvm_arch_memory_slot.rmap, __rmap_add() (v6.16).
#include <algorithm>
#include <tuple>

#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

struct Member {
  const Memslot* slot = nullptr;
  Level level = Level::kNone;
  std::uint64_t list = 0;
  SpteRef leaf;
  EntrySeen entry;  // where it was found as one

  auto key() const {
    return std::tuple(slot->range.start.value, number_of(level), list,
                      leaf.table, leaf.index);
  }
};

// Frames that one leaf of the level maps share a list.
std::uint64_t list_of(const Memslot& slot, Gfn gfn, Level level) {
  const unsigned shift = index_shift(level);
  return (gfn.value >> shift) - (slot.range.start.value >> shift);
}

std::vector<Member> members_by_entries(const Mmu& mmu, const Census& census) {
  std::vector<Member> members;
  census.for_each_entry([&](const EntrySeen& entry) {
    const bool is_blocked =
        entry.level == Level::k4K && entry.spte.is_blocked();
    if (entry.level > kMaxHugeLevel) return;
    if (!entry.spte.is_leaf(entry.level) && !is_blocked) return;
    const Gfn gfn = mmu.alias.slot_gfn(entry.first);
    const Memslot* slot = slot_at(mmu, gfn);
    if (slot == nullptr) return;
    members.push_back(
        {slot, entry.level, list_of(*slot, gfn, entry.level), entry.at, entry});
  });
  return members;
}

std::vector<Member> members_by_lists(const Mmu& mmu, AuditFindings& findings) {
  std::vector<Member> members;
  for (const auto& slot : mmu.slots().slots()) {
    if (slot->rmap == nullptr) {
      findings.add(words("slot ", slot->id, " has no reverse map"));
      continue;
    }
    const ReverseMap& rmap = *slot->rmap;
    std::size_t nodes = 0;
    for (unsigned n = 1; n <= number_of(kMaxHugeLevel); ++n) {
      const Level level = level_of(n);
      const std::uint64_t end = rmap.size(level);
      for (std::uint64_t at = rmap.next_used(level, 0, end); at < end;
           at = rmap.next_used(level, at + 1, end)) {
        nodes += SpteRefLists::nodes_for(rmap.count(level, at));
        rmap.for_each(level, at, [&](SpteRef leaf) {
          members.push_back({slot.get(), level, at, leaf, {}});
        });
      }
    }
    findings.expect("nodes of reverse maps", rmap.nodes(), nodes);
  }
  return members;
}

AuditPlace place_in(const Member& member) {
  const unsigned shift = index_shift(member.level);
  const std::uint64_t first =
      ((member.slot->range.start.value >> shift) + member.list) << shift;
  return {gpa_of(Gfn{first}).value,
          static_cast<std::uint8_t>(number_of(member.level)), 0};
}

void report_unlisted(const Member& member, AuditFindings& findings) {
  const bool is_private = member.entry.root == RootId::kPrivate;
  findings.add(
      words("a leaf is not in the reverse map of slot ", member.slot->id,
            ", page ", member.leaf.table, " entry ", member.leaf.index),
      member.entry, is_private ? "K1" : "");
}

void report_listed(const Member& member, AuditFindings& findings) {
  findings.add(words("a reverse map of slot ", member.slot->id,
                     " names what is no leaf of the frame, page ",
                     member.leaf.table, " entry ", member.leaf.index),
               place_in(member));
}

}  // namespace

void check_reverse_maps(const Mmu& mmu, const Census& census,
                        AuditFindings& findings) {
  std::vector<Member> leaves = members_by_entries(mmu, census);
  std::vector<Member> listed = members_by_lists(mmu, findings);
  std::ranges::sort(leaves, {}, &Member::key);
  std::ranges::sort(listed, {}, &Member::key);
  auto leaf = leaves.begin();
  auto name = listed.begin();
  while (leaf != leaves.end() || name != listed.end()) {
    if (name == listed.end() ||
        (leaf != leaves.end() && leaf->key() < name->key())) {
      report_unlisted(*leaf++, findings);
    } else if (leaf == leaves.end() || name->key() < leaf->key()) {
      report_listed(*name++, findings);
    } else {
      ++leaf;
      ++name;
    }
  }
}

}  // namespace mmu
