// Two ways to the same answer. Where all aliases share one tree, leaves are
// found by the directory of leaf tables, those of a group asked for while the
// group before is read, so that the misses of dozens overlap. A row that the
// directory does not know, or whose entry is no leaf, is walked like any row of
// any other VM: from the root.
#include "core/walk_batch.hpp"

#include <algorithm>
#include <array>

#include "core/check_events.hpp"
#include "core/formats/shown.hpp"
#include "core/hardware_walk.hpp"
#include "core/query.hpp"

namespace mmu {
namespace {

constexpr std::size_t kGroup = 32;

class Walks {
 public:
  explicit Walks(const Mmu& mmu)
      : mmu_(mmu),
        shown_(mmu.config),
        shows_all_(&format_of(mmu.config) == &format_of({})),
        leaves_(mmu.tree(mmu.alias.root_of({0}))),
        stripped_(mmu.alias.space().stripped_mask) {}

  // From the root.
  void walk(const WalkColumns& columns, std::size_t row) const {
    const auto gpa =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(columns.gpa[row]));
    const StepView last = last_step(mmu_, gpa);
    columns.spte[row] = last.spte;
    columns.level[row] = last.is_leaf ? last.level : 0;
  }

  // By the directory, for VMs of one tree.
  void walk_groups(WalkColumns columns, std::size_t whole) const {
    std::array<Group, 2> groups;
    if (whole != 0) ask(columns.gpa, groups[0]);
    for (std::size_t row = 0; row < whole; row += kGroup) {
      const std::size_t next = row + kGroup;
      if (next < whole) ask(columns.gpa + next, groups[next / kGroup % 2]);
      if (!take(groups[row / kGroup % 2], columns, row)) {
        for (std::size_t i = row; i < next; ++i) walk(columns, i);
      }
    }
  }

 private:
  using Group = std::array<const std::uint64_t*, kGroup>;

  void ask(const double* gpa, Group& group) const {
    for (std::size_t i = 0; i < kGroup; ++i) {
      const auto at = static_cast<std::int64_t>(gpa[i]);
      group[i] = leaves_.entry(
          {(static_cast<std::uint64_t>(at) >> kPageShift) & ~stripped_});
      __builtin_prefetch(group[i]);
    }
  }

  // False, and nothing of use written, if any row is no leaf.
  bool take(const Group& group, const WalkColumns& columns,
            std::size_t row) const {
    std::uint64_t all = ept::kMmuPresent;
    std::uint64_t* const out = columns.spte + row;
    for (std::size_t i = 0; i < kGroup; ++i) {
      const std::uint64_t word = *group[i];
      all &= word;
      out[i] = from_stored(word).raw;
    }
    if (all == 0) return false;
    if (!shows_all_) {
      for (std::size_t i = 0; i < kGroup; ++i) out[i] = shown_(Spte{out[i]});
    }
    std::fill_n(columns.level + row, kGroup,
                static_cast<std::uint8_t>(Level::k4K));
    return true;
  }

  const Mmu& mmu_;
  const ShownSptes shown_;
  // A present entry is shown as it is.
  const bool shows_all_;
  const LeafWalk leaves_;
  const std::uint64_t stripped_;
};

}  // namespace

std::optional<Error> walk_batch(const Mmu& mmu, const WalkColumns& columns) {
  if (auto error = check_gpas(columns.gpa, columns.count, mmu)) return error;
  const Walks walks(mmu);
  const std::size_t whole =
      mmu.alias.space().bit_count == 0 ? columns.count / kGroup * kGroup : 0;
  walks.walk_groups(columns, whole);
  for (std::size_t row = whole; row < columns.count; ++row) {
    walks.walk(columns, row);
  }
  return std::nullopt;
}

}  // namespace mmu
