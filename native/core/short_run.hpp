// A run of hits, first touches and writes after a dirty-log round, row by row,
// by way of the directory of leaf tables: what a guest does nearly all the
// time, without a walk.
//
// Why that is what the long way comes to: the directory leads to the entry that
// a walk ends in (its law), each row reads its entry when its turn comes, and
// what it then does is what ReplayLoop does for such a row, under the same
// conditions: a hit marks its leaf (HardwareWalk), a first touch is
// map_first_touch(), a write that lacks only W is fix_write(). It goes one step
// further than that: where tables are missing, or the last has no room, it
// makes them, as handle_fault() does under those conditions. Anything else
// ends the run, and has changed nothing. test/native/short_run_test.cpp holds
// both to each other.
//
// A row touches its directory's line, its leaf's and its dirty bit's. Those of
// a group of rows are asked for while the group before is served.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/event.hpp"
#include "core/hardware_walk.hpp"
#include "core/hit_run.hpp"
#include "core/mmu.hpp"
#include "core/slot_window.hpp"
#include "core/write_fix.hpp"

namespace mmu {

template <AliasStrategy S>
class ShortRun {
 public:
  ShortRun(Mmu& mmu, const S& strategy, std::uint64_t frame_mask)
      : mmu_(mmu),
        tree_(mmu.tree(RootId::kDirect)),
        strategy_(strategy),
        frame_mask_(frame_mask),
        leaves_(tree_) {
    Memslot* const slot = mmu.slots().last_found();
    if (slot != nullptr) slot_ = SlotWindow(*slot);
  }

  // Serves rows in whole groups from `row` on and returns the first row that it
  // has not: one that is neither, or the first after a group of nothing but
  // hits, which HitRun serves faster.
  std::size_t serve(EventColumns events, OutcomeColumns outcomes,
                    std::size_t row, const std::size_t end) {
    return on_path(mmu_.vector_path,
                   [=, this]() __attribute__((always_inline)) {
                     return serve_groups(events, outcomes, row, end);
                   });
  }

 private:
  [[gnu::always_inline]] std::size_t serve_groups(EventColumns events,
                                                  OutcomeColumns outcomes,
                                                  std::size_t row,
                                                  const std::size_t end) {
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
      if (!group.all_full && end - row >= 3 * kWalkGroup) {
        ask_tables(events.gpa + row + 2 * kWalkGroup);
      }
      const std::size_t served = serve_group(group, events, outcomes, row);
      row += served;
      if (served != kWalkGroup || fixed_ == 0) break;
    }
    return row;
  }

  struct Group {
    std::array<std::uint64_t, kWalkGroup> frames;
    // Of full tables; where there is none, not to be looked at.
    std::array<std::uint64_t*, kWalkGroup> entries;
    bool all_full;
  };

  AliasedGfn frame_of(double gpa) const {
    const auto at = static_cast<std::int64_t>(gpa);
    return {(static_cast<std::uint64_t>(at) >> kPageShift) & frame_mask_};
  }

  // Of pages all over a large guest the directory itself is far.
  [[gnu::always_inline]] void ask_tables(const double* gpa) const {
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      leaves_.ask_table(frame_of(gpa[i]));
    }
  }

  [[gnu::always_inline]] void ask(const double* gpa, Group& group) const {
    bool all_full = true;
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      const AliasedGfn gfn = frame_of(gpa[i]);
      group.frames[i] = gfn.value;
      const LeafTable table = leaves_.table(gfn);
      group.entries[i] = leaves_.entry(table.full(), gfn);
      if (table.full() != kNoPage) [[likely]] {
        __builtin_prefetch(group.entries[i], 1);
      } else {
        all_full = false;
        ask_other(table, gfn);
      }
      slot_.prefetch_dirty(strategy_.slot_gfn(gfn));
    }
    group.all_full = all_full;
  }

  // Of a table that is not there, the entry that will link to it.
  [[gnu::always_inline]] void ask_other(LeafTable table, AliasedGfn gfn) const {
    if (table.compact() == kNoPage) {
      __builtin_prefetch(tree_.link_place(gfn), 1);
      return;
    }
    leaves_.ask_compact(table.compact());
  }

  // How many rows of the group it has served.
  [[gnu::always_inline]] std::size_t serve_group(const Group& group,
                                                 const EventColumns& events,
                                                 const OutcomeColumns& outcomes,
                                                 std::size_t row) {
    std::fill_n(outcomes.level + row, kWalkGroup,
                static_cast<std::uint8_t>(Level::k4K));
    std::fill_n(outcomes.tables_read + row, kWalkGroup, leaves_.tables_read());
    std::size_t i = touch_alike(group, events, outcomes, row);
    fixed_ = i;
    for (row += i; i < kWalkGroup; ++i, ++row) {
      if (events.kind[row] != 0) return i;
      const AliasedGfn gfn{group.frames[i]};
      const LeafTable table = leaves_.table(gfn);
      std::uint64_t* const entry = leaves_.any_entry(table, gfn);
      const std::uint64_t word = entry != nullptr ? *entry : 0;
      const bool served =
          word != 0 ? serve_leaf(entry, word, gfn, events, outcomes, row)
                    : touch(table, entry, gfn, events, outcomes, row);
      if (!served) return i;
    }
    return kWalkGroup;
  }

  // First touches by one vCPU, in one slot, of full tables, which none leaves
  // in such a run: what is asked of each row is asked of all of them at once.
  // How many it has served from the start: up to the first entry that is not
  // empty.
  [[gnu::always_inline]] std::size_t touch_alike(const Group& group,
                                                 const EventColumns& events,
                                                 const OutcomeColumns& outcomes,
                                                 std::size_t row) {
    if (!are_alike(group, events, row)) return 0;
    const SlotWindow slot = slot_;
    std::size_t i = 0;
    for (; i < kWalkGroup; ++i) {
      if (*group.entries[i] != 0) break;
      const Gfn frame = strategy_.slot_gfn(AliasedGfn{group.frames[i]});
      PageTable::put_empty(group.entries[i], slot.leaf(frame));
      slot.mark_dirty(frame);
    }
    tree_.count_new_leaves(i);
    VcpuStats& stats = mmu_.vcpus[vcpu_of(events, row)];
    stats.pf_taken += i;
    stats.pf_fixed += i;
    std::fill_n(outcomes.sptes_changed + row, i, 1u);
    std::fill_n(outcomes.outcome + row, i,
                static_cast<std::uint8_t>(OutcomeCode::kFixed));
    return i;
  }

  [[gnu::always_inline]] bool are_alike(const Group& group,
                                        const EventColumns& events,
                                        std::size_t row) const {
    if (!group.all_full) return false;
    const std::uint16_t vcpu = events.vcpu[row];
    std::uint64_t unlike = 0;
    std::uint8_t access = 0;
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      const AliasedGfn gfn{group.frames[i]};
      unlike |= std::uint64_t{!slot_.holds(strategy_.slot_gfn(gfn))};
    }
    for (std::size_t i = 0; i < kWalkGroup; ++i) {
      access |= events.access[row + i];
      unlike |= events.kind[row + i] | (events.vcpu[row + i] ^ vcpu);
    }
    return unlike == 0 && slot_.grants(access);
  }

  [[gnu::always_inline]] bool touch(LeafTable table, std::uint64_t* entry,
                                    AliasedGfn gfn, const EventColumns& events,
                                    const OutcomeColumns& outcomes,
                                    std::size_t row) {
    const Gfn frame = strategy_.slot_gfn(gfn);
    if (!may_touch(frame, events.access[row])) return false;
    std::uint32_t changed = 1;
    if (entry != nullptr) {
      tree_.fill_empty(entry, slot_.leaf(frame));
    } else {
      changed = put(table.compact(), gfn, slot_.leaf(frame));
      if (changed == 0) return false;
    }
    // Each table that had to be made is one that hardware has not read.
    outcomes.tables_read[row] -= static_cast<std::uint8_t>(changed - 1);
    finish_touch(frame, events, outcomes, row, changed);
    return true;
  }

  bool serve_leaf(std::uint64_t* entry, std::uint64_t word, AliasedGfn gfn,
                  const EventColumns& events, const OutcomeColumns& outcomes,
                  std::size_t row) {
    const std::uint8_t wanted = events.access[row];
    if (!HardwareWalk::allows(word, wanted)) {
      return give_back(entry, word, gfn, events, outcomes, row);
    }
    HardwareWalk::mark(entry, word, wanted);
    outcomes.sptes_changed[row] = 0;
    outcomes.outcome[row] = static_cast<std::uint8_t>(OutcomeCode::kHit);
    return true;
  }

  // A leaf that lost only its W.
  bool give_back(std::uint64_t* entry, std::uint64_t word, AliasedGfn gfn,
                 const EventColumns& events, const OutcomeColumns& outcomes,
                 std::size_t row) {
    const Gfn frame = strategy_.slot_gfn(gfn);
    const bool fixed = knows_slot(frame) &&
                       fix_write(mmu_, entry, word, frame, events.access[row],
                                 vcpu_of(events, row));
    if (fixed) note_fixed(outcomes, row, 1);
    return fixed;
  }

  // Whether KVM would map the frame at once, by a leaf that the slot says all
  // of. It would do so where hardware walked: a strategy whose KVM walks
  // elsewhere breaks the law of progress, and no VM of it is plain.
  bool may_touch(Gfn frame, std::uint8_t access) {
    return knows_slot(frame) && slot_.grants(access);
  }
  bool knows_slot(Gfn frame) { return slot_.holds(frame) || find_slot(frame); }

  // A slot that is not remembered when it was found is not for the short ways.
  [[gnu::noinline]] bool find_slot(Gfn frame) {
    Memslot* const slot = mmu_.slots().find(frame);
    if (slot == nullptr || slot != mmu_.slots().last_found()) return false;
    slot_ = SlotWindow(*slot);
    return slot_.holds(frame);
  }

  // Into a table that has not got the entry, or that is not there. How many
  // entries have changed; if none, there was no way.
  //
  // Scalars alone, as the columns of a batch would go through memory.
  [[gnu::noinline]] std::uint32_t put(PageId compact, AliasedGfn gfn,
                                      Spte leaf) {
    const unsigned index = table_index(gfn, Level::k4K);
    if (compact == kNoPage) return make(gfn, leaf);
    if (tree_.fill_compact(leaves_.compact(compact), index, leaf)) [[likely]] {
      return 1;
    }
    if (!tree_.ensure_one_path()) return 0;
    TableRef table{compact, Level::k4K, true};
    tree_.set_spte(table, index, Spte{}, leaf);
    leaves_ = LeafWalk(tree_);
    return 1;
  }

  // Into a table that has to be made, and those above it that have to.
  std::uint32_t make(AliasedGfn gfn, Spte leaf) {
    if (!tree_.has_root() || !tree_.ensure_one_path()) return 0;
    std::uint32_t changed = 1;
    TableRef table = tree_.root();
    while (table.level != Level::k4K) {
      const unsigned index = table_index(gfn, table.level);
      const Spte spte = tree_.get(table, index);
      if (spte.is_link(table.level)) {
        table = link::table(spte, below(table.level));
        continue;
      }
      if (spte != Spte{}) return 0;
      table = tree_.link_child(table, index);
      ++changed;
    }
    // One that the directory had no memory to note may have the entry.
    const unsigned index = table_index(gfn, Level::k4K);
    if (changed == 1 && tree_.get(table, index) != Spte{}) return 0;
    tree_.set_spte(table, index, Spte{}, leaf);
    leaves_ = LeafWalk(tree_);
    return changed;
  }

  void finish_touch(Gfn frame, const EventColumns& events,
                    const OutcomeColumns& outcomes, std::size_t row,
                    std::uint32_t changed) {
    slot_.mark_dirty(frame);
    VcpuStats& stats = mmu_.vcpus[vcpu_of(events, row)];
    ++stats.pf_taken;
    ++stats.pf_fixed;
    note_fixed(outcomes, row, changed);
  }
  void note_fixed(const OutcomeColumns& outcomes, std::size_t row,
                  std::uint32_t changed) {
    outcomes.sptes_changed[row] = changed;
    outcomes.outcome[row] = static_cast<std::uint8_t>(OutcomeCode::kFixed);
    ++fixed_;
  }

  // As in ReplayLoop: a script may write into a batch while it runs.
  std::uint16_t vcpu_of(const EventColumns& events, std::size_t row) const {
    const std::uint16_t vcpu =
        __atomic_load_n(&events.vcpu[row], __ATOMIC_RELAXED);
    return vcpu < mmu_.vcpus.size() ? vcpu : 0;
  }

  Mmu& mmu_;
  PageTable& tree_;
  const S& strategy_;
  const std::uint64_t frame_mask_;
  LeafWalk leaves_;
  SlotWindow slot_;
  // Of the group that was served last.
  std::size_t fixed_ = 0;
};

}  // namespace mmu
