// A run of hits, in groups: leaves that allow the access and are marked
// already, found by the directory, judged together and answered together.
//
// Why that is what one after the other comes to: such a hit changes nothing,
// neither an entry nor a count, so no row sees what another did, and all have
// the same outcome. A group with any other row in it ends the run, untouched,
// and is served row by row, which is the oracle of this:
// test/native/hit_run_test.cpp holds both to each other.
//
// An event touches two cache lines that may be far: its directory's and its
// leaf's. Those of a group are asked for while the group before is judged.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/event.hpp"
#include "core/hardware_walk.hpp"
#include "core/vector_path.hpp"

namespace mmu {

// Rows whose walks are in flight together. Larger ones spill, smaller ones
// leave the memory system idle: native/bench/hits.cpp.
inline constexpr std::size_t kWalkGroup = 32;

class HitRun {
 public:
  HitRun(const PageTable& tree, std::uint64_t frame_mask, VectorPath path)
      : leaves_(tree), frame_mask_(frame_mask), path_(path) {}

  // Serves groups from `row` on and returns the first row that it has not:
  // where less than a group is left before `end`, or a group has a row that is
  // no such hit.
  std::size_t serve(EventColumns events, OutcomeColumns outcomes,
                    std::size_t row, std::size_t end) const {
    return on_path(path_, [=, this]() __attribute__((always_inline)) {
      return serve_groups(events, outcomes, row, end);
    });
  }

 private:
  using Group = std::array<const std::uint64_t*, kWalkGroup>;

  [[gnu::always_inline]] std::size_t serve_groups(EventColumns events,
                                                  OutcomeColumns outcomes,
                                                  std::size_t row,
                                                  const std::size_t end) const {
    if (end - row < kWalkGroup) return row;
    std::array<Group, 2> groups;
    std::size_t turn = 0;
    ask(events.gpa + row, groups[turn]);
    while (end - row >= kWalkGroup) {
      const Group& group = groups[turn];
      turn ^= 1;
      if (end - row >= 2 * kWalkGroup) {
        ask(events.gpa + row + kWalkGroup, groups[turn]);
      }
      if (!all_accesses(events.kind + row) ||
          !(all_hit(group, events.access + row) ||
            all_hit_where_compact(events.gpa + row, events.access + row))) {
        break;
      }
      put(outcomes, row, leaves_.tables_read());
      row += kWalkGroup;
    }
    return row;
  }

  [[gnu::always_inline]] void ask(const double* gpa, Group& group) const {
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      group[i] = leaves_.entry(frame_of(gpa[i]));
      __builtin_prefetch(group[i]);
    }
  }

  [[gnu::always_inline]] AliasedGfn frame_of(double gpa) const {
    const auto at = static_cast<std::int64_t>(gpa);
    return {(static_cast<std::uint64_t>(at) >> kPageShift) & frame_mask_};
  }

  // The same of a group with compact tables, whose entries have yet to be
  // found: few in a dense guest, but enough to end each run soon.
  [[gnu::noinline]] bool all_hit_where_compact(
      const double* gpa, const std::uint8_t* access) const {
    bool any = false;
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      const PageId compact = leaves_.table(frame_of(gpa[i])).compact();
      if (compact == kNoPage) continue;
      leaves_.ask_compact(compact);
      any = true;
    }
    if (!any) return false;
    Group group;
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      group[i] = leaves_.any_entry(frame_of(gpa[i]));
      if (group[i] == nullptr) return false;
    }
    return all_hit(group, access);
  }

  // No branch a row, so that a compiler makes vectors of it.
  [[gnu::always_inline]] static bool all_hit(const Group& group,
                                             const std::uint8_t* access) {
    std::array<std::uint64_t, kWalkGroup> words;
    for (std::size_t i = 0; i < kWalkGroup; ++i) words[i] = *group[i];
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      missing |= HardwareWalk::marked_and_allowed(access[i]) & ~words[i];
    }
    return missing == 0;
  }

  [[gnu::always_inline]] static bool all_accesses(const std::uint8_t* kind) {
    std::uint8_t other = 0;
    for (std::size_t i = 0; i < kWalkGroup; ++i) other |= kind[i];
    return other == static_cast<std::uint8_t>(EventKind::kAccess);
  }

  // A hit writes no column of flushes.
  [[gnu::always_inline]] static void put(const OutcomeColumns& outcomes,
                                         std::size_t row,
                                         std::uint8_t tables_read) {
    constexpr auto kHit = static_cast<std::uint8_t>(OutcomeCode::kHit);
    constexpr auto kLevel = static_cast<std::uint8_t>(Level::k4K);
    std::fill_n(outcomes.sptes_changed + row, kWalkGroup, 0u);
    std::fill_n(outcomes.outcome + row, kWalkGroup, kHit);
    std::fill_n(outcomes.level + row, kWalkGroup, kLevel);
    std::fill_n(outcomes.tables_read + row, kWalkGroup, tables_read);
  }

  const LeafWalk leaves_;
  const std::uint64_t frame_mask_;
  const VectorPath path_;
};

}  // namespace mmu
