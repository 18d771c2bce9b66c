// The batch loop: hardware first, KVM only where hardware could not.
//
// Two ways through a batch. A plain VM, in which a hit cannot be wrong and
// nothing is cached, has its hits and first touches served right here, which
// asks the strategy several times per event: hence a template. Every other VM
// takes one access after the other through perform_access().
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "core/access.hpp"
#include "core/first_touch.hpp"
#include "core/guest/access_gva.hpp"
#include "core/guest/guest_calls.hpp"
#include "core/hardware_walk.hpp"
#include "core/hit_crew.hpp"
#include "core/hit_run.hpp"
#include "core/short_run.hpp"
#include "core/tracepoints/tracer.hpp"
#include "core/vm_events.hpp"
#include "core/write_fix.hpp"

namespace mmu {

template <AliasStrategy S>
class ReplayLoop {
 public:
  ReplayLoop(Mmu& mmu, const S& strategy)
      : mmu_(mmu),
        strategy_(strategy),
        frame_mask_((bit(mmu.config.address_bits - kPageShift) - 1) &
                    ~strategy.space().stripped_mask),
        is_plain_(is_plain(mmu)) {
    mmu.has_short_ways = is_simple(mmu);
  }

  // Applies rows [row, end) of a batch that was checked. Returns the first row
  // that was not applied: `end`, or the one that ran out of memory.
  std::size_t run(const EventColumns& events, const OutcomeColumns& outcomes,
                  std::size_t row, std::size_t end) {
    base_ = mmu_.event - row;
    for (std::size_t stop = row; row == stop && row < end;) {
      if (expects_short_) {
        row = run_short(events, outcomes, row, end);
        if (row == end) break;
      }
      stop = std::min(row + kGroup, end);
      if (!is_plain_) {
        row = run_each(events, outcomes, row, stop);
        continue;
      }
      row = run_group(events, outcomes, row, stop);
      groups_to_wait_ -= groups_to_wait_ != 0;
      expects_short_ = groups_to_wait_ == 0 && is_short(outcomes, stop - 1);
    }
    mmu_.event = base_ + row;
    return row;
  }
  // The hits at `row`, by every thread of a crew (hit_crew.hpp).
  std::size_t run_abreast(HitCrew& crew, const EventColumns& events,
                          const OutcomeColumns& outcomes, std::size_t row,
                          std::size_t end, const std::atomic<bool>& stop) {
    if (!expects_short_ || !crew.is_worth_it(end - row)) return row;
    const std::size_t served =
        crew.serve(hits(), events, outcomes, row, end, stop);
    mmu_.event += served - row;
    return served;
  }
  // The row that was at work last, if not in a hit or first touch: the one that
  // had no memory, where run() did not return.
  std::size_t last_row() const { return mmu_.event - base_; }

 private:
  static constexpr std::size_t kGroup = kWalkGroup;
  static constexpr unsigned kGroupsToWait = 64;
  struct Group {
    // Numbers without a type that would have to be cleared first.
    std::array<std::uint64_t, kGroup> frames;
    std::array<Translation, kGroup> walks;

    AliasedGfn gfn(std::size_t i) const { return {frames[i]}; }
  };

  // Walks first, one after the other so that their cache misses overlap, then
  // the answers in order. An answer may change the entry that a later row will
  // read, so each row reads its entry when its turn comes; where it changed
  // what is found by walking, the rows that are left walk again. Neither a hit
  // nor a first touch does.
  //
  // The columns come by value: an outcome byte may alias anything, and copies
  // whose address nobody has stay in registers.
  std::size_t run_group(EventColumns events, OutcomeColumns outcomes,
                        std::size_t row, const std::size_t end) {
    const std::size_t first = row;
    Group ahead;
    for (std::size_t i = row; i < end; ++i) {
      ahead.frames[i - first] = frame(events, i);
    }
    HardwareWalk hardware = walk_ahead(ahead, 0, end - first);
    for (; row < end; ++row) {
      const Translation& at = ahead.walks[row - first];
      const AliasedGfn gfn = ahead.gfn(row - first);
      const std::uint8_t wanted = events.access[row];
      std::uint64_t* const entry = hardware.last(at, gfn);
      const std::uint64_t word = *entry;
      if (events.kind[row] == 0 && HardwareWalk::allows(word, wanted))
          [[likely]] {
        HardwareWalk::mark(entry, word, wanted);
        outcomes.sptes_changed[row] = 0;
        outcomes.outcome[row] = static_cast<std::uint8_t>(OutcomeCode::kHit);
        outcomes.level[row] = static_cast<std::uint8_t>(at.level);
        outcomes.tables_read[row] = tables_read(at.level);
        continue;
      }
      if (events.kind[row] == 0 && word == 0 &&
          first_touch(at, gfn, wanted, vcpu_of(events, row))) {
        outcomes.sptes_changed[row] = 1;
        outcomes.outcome[row] = static_cast<std::uint8_t>(OutcomeCode::kFixed);
        outcomes.level[row] = 1;
        outcomes.tables_read[row] = tables_read(Level::k4K);
        continue;
      }
      const std::uint64_t layout = tree().layout_changes();
      if (!answer(events, outcomes, row, at.level, entry)) return row;
      if (tree().layout_changes() != layout) {
        hardware = walk_ahead(ahead, row + 1 - first, end - first);
      }
    }
    return end;
  }

  HitRun hits() const { return {tree(), frame_mask_, mmu_.vector_path}; }

  static bool is_short(const OutcomeColumns& outcomes, std::size_t row) {
    const auto code = static_cast<OutcomeCode>(outcomes.outcome[row]);
    return code == OutcomeCode::kHit || code == OutcomeCode::kFixed;
  }

  // Kept out of the loop, whose registers it would take. Where it did not pay,
  // it is not tried again at once.
  [[gnu::noinline]] std::size_t run_short(EventColumns events,
                                          OutcomeColumns outcomes,
                                          std::size_t row,
                                          const std::size_t end) {
    const std::size_t first = row;
    for (std::size_t before = end; row != before;) {
      row = hits().serve(events, outcomes, row, end);
      before = row;
      row = ShortRun(mmu_, strategy_, frame_mask_)
                .serve(events, outcomes, row, end);
    }
    if (row - first < 2 * kGroup) groups_to_wait_ = kGroupsToWait;
    return row;
  }

  std::size_t run_each(EventColumns events, OutcomeColumns outcomes,
                       std::size_t row, const std::size_t end) {
    for (; row < end; ++row) {
      Outcome out;
      mmu_.event = base_ + row;
      if (events.kind[row] != 0) {
        out = apply(events, row);
      } else if (!perform(events, row, out)) {
        return row;
      }
      write(outcomes, row, out);
    }
    return end;
  }

  bool perform(const EventColumns& events, std::size_t row, Outcome& out) {
    if (!is_addressed_by_gva(mmu_)) [[likely]]
      return perform_access(mmu_, access_of(events, row), out);
    const auto gva = static_cast<std::int64_t>(events.gpa[row]);
    return perform_gva_access(mmu_,
                              {static_cast<std::uint64_t>(gva),
                               events.access[row], vcpu_of(events, row)},
                              out);
  }

  // Whether hits and first touches may be served without a closer look: the
  // tables are trees of one root, nothing caches or traces, no leaf that can be
  // reached grants more or less than its alias may do, and hardware keeps
  // Accessed and Dirty for nobody to read.
  static bool is_plain(const Mmu& mmu) {
    return is_simple(mmu) && mmu.tlbs == nullptr;
  }

  // Where what the short ways leave is what the long one leaves.
  static bool is_simple(const Mmu& mmu) {
    const AliasSpace& space = mmu.alias.space();
    const bool aliases_alike =
        space.kind != PresetKind::kPrivateShared && !space.execute_only;
    const HostOptions& host = mmu.config.host;
    const bool host_alike =
        host.ad_bits && !host.pml && !host.nx_huge_pages && !host.memory_types;
    return mmu.config.mmu == Flavour::kTdp && mmu.trace == nullptr &&
           mmu.rings == nullptr && !is_addressed_by_gva(mmu) && host_alike &&
           aliases_alike && (space.bit_count == 0 || walks_lawfully());
  }

  // Where nothing caches, what a flush forgets is nowhere.
  static constexpr bool walks_lawfully() {
    return std::ranges::all_of(S::kSupport.breaks, [](std::string_view law) {
      return law == "flush";
    });
  }

  static void write(const OutcomeColumns& outcomes, std::size_t row,
                    const Outcome& out) {
    outcomes.sptes_changed[row] = out.sptes_changed;
    outcomes.flushed_pages[row] = out.flushed_pages;
    outcomes.outcome[row] = static_cast<std::uint8_t>(out.code);
    outcomes.level[row] = out.level;
    outcomes.tables_read[row] = out.tables_read;
    outcomes.flush[row] = out.flush;
  }

  static bool is_inserted(const EventColumns& events, std::size_t row) {
    return events.kind[row] ==
               static_cast<std::uint8_t>(EventKind::kAttributes) &&
           (events.access[row] & kAttributesInserted) != 0;
  }

  PageTable& tree() const { return mmu_.tree(RootId::kDirect); }

  HardwareWalk walk_ahead(Group& ahead, std::size_t i, std::size_t end) const {
    const HardwareWalk walk(tree());
    prefetch_dirty(ahead, i, end);
    for (; i < end; ++i) ahead.walks[i] = walk.walk_ahead(ahead.gfn(i));
    return walk;
  }

  // A first touch in a logged slot sets a dirty bit, on a cache line of its
  // own. Hits pay for the question only while the slot is logged.
  //
  // Inlined by force, down to the prefetch: a compiler that sees a call which
  // does nothing else takes it for one without effect and drops it.
  [[gnu::always_inline]] void prefetch_dirty(const Group& ahead, std::size_t i,
                                             std::size_t end) const {
    const Memslot* slot = mmu_.slots().last_found();
    if (slot == nullptr || !slot->dirty) return;
    for (; i < end; ++i) {
      const Gfn gfn = strategy_.slot_gfn(ahead.gfn(i));
      if (slot->range.contains(gfn)) {
        slot->dirty->prefetch(gfn.value - slot->range.start.value);
      }
    }
  }

  bool first_touch(const Translation& at, AliasedGfn gfn, std::uint8_t access,
                   std::uint16_t vcpu) {
    return strategy_.walk_gfn(gfn) == gfn &&
           map_first_touch(mmu_, at, gfn, strategy_.slot_gfn(gfn), access,
                           vcpu);
  }

  // Everything but hits and first touches; `entry` is where hardware's walk
  // ended.
  // False: out of memory, and nothing has changed. Kept out of the loop, whose
  // registers it would take; the columns by value, for the same reason.
  [[gnu::noinline]] bool answer(EventColumns events, OutcomeColumns outcomes,
                                std::size_t row, Level level,
                                std::uint64_t* entry) {
    Outcome out;
    mmu_.event = base_ + row;
    if (events.kind[row] != 0) {
      out = apply(events, row);
    } else if (!miss(access_of(events, row), level, entry, out)) {
      return false;
    }
    write(outcomes, row, out);
    return true;
  }

  bool miss(const Access& access, Level level, std::uint64_t* entry,
            Outcome& out) {
    const std::uint64_t word = *entry;
    if (level == Level::k4K &&
        strategy_.walk_gfn(access.issued) == access.issued &&
        fix_write(mmu_, entry, word, strategy_.slot_gfn(access.issued),
                  access.wanted, access.vcpu)) {
      out = {OutcomeCode::kFixed, 1, tables_read(Level::k4K), 0, 1, 0};
      return true;
    }
    Fault fault =
        make_fault(strategy_, access.issued, access.wanted, access.vcpu, word);
    return resolve_miss(mmu_, fault, out);
  }

  // What a projection inserted takes no number from the events that follow.
  Outcome apply(const EventColumns& events, std::size_t row) {
    base_ -= is_inserted(events, row);
    return apply_vm_event(mmu_, vm_event_of(events, row));
  }

  Access access_of(const EventColumns& events, std::size_t row) const {
    return {{frame(events, row)}, events.access[row], vcpu_of(events, row)};
  }

  VmEvent vm_event_of(const EventColumns& events, std::size_t row) const {
    const auto gpa = static_cast<std::uint64_t>(events.gpa[row]);
    const auto bytes = static_cast<std::uint64_t>(events.bytes[row]);
    const unsigned kind = events.kind[row];
    return {
        kind < kEventKindCount ? static_cast<EventKind>(kind) : EventKind::kEnd,
        events.access[row], vcpu_of(events, row), gpa >> kPageShift,
        (gpa + bytes) >> kPageShift};
  }

  // A script may write into a batch while it runs, after every row has been
  // checked. What comes of it may be nonsense but must stay in bounds, so what
  // serves as an index is read once and held to its range.
  //
  // Of a row that is not an access the frame is meaningless, and harmless.
  std::uint64_t frame(const EventColumns& events, std::size_t row) const {
    const auto gpa = static_cast<std::int64_t>(events.gpa[row]);
    return (static_cast<std::uint64_t>(gpa) >> kPageShift) & frame_mask_;
  }

  std::uint16_t vcpu_of(const EventColumns& events, std::size_t row) const {
    const std::uint16_t vcpu =
        __atomic_load_n(&events.vcpu[row], __ATOMIC_RELAXED);
    return vcpu < mmu_.vcpus.size() ? vcpu : 0;
  }

  std::uint8_t tables_read(Level leaf) const {
    return static_cast<std::uint8_t>(mmu_.config.root_level - number_of(leaf) +
                                     1);
  }

  Mmu& mmu_;
  const S& strategy_;
  const std::uint64_t frame_mask_;
  const bool is_plain_;
  // Whether the last group ended with a hit or a fix, so that others do not pay
  // for a look at what comes. Decides no outcome.
  bool expects_short_ = is_plain_;
  unsigned groups_to_wait_ = 0;
  // Number of the event in row 0, had the batch begun there.
  std::uint64_t base_ = 0;
};

}  // namespace mmu
