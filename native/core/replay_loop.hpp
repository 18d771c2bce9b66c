// The batch loop: hardware first, KVM only where hardware could not.
//
// Every miss asks the strategy which page it is about, and the answer is a
// handful of instructions: hence a template. What KVM does then is compiled
// once, elsewhere; here only the two kinds of frame number meet.
#pragma once

#include <algorithm>
#include <array>

#include "core/alias/alias_strategy.hpp"
#include "core/fault.hpp"
#include "core/first_touch.hpp"
#include "core/hardware_walk.hpp"
#include "core/vm_events.hpp"

namespace mmu {

template <AliasStrategy S>
class ReplayLoop {
 public:
  ReplayLoop(Mmu& mmu, const S& strategy, const ViewsOf& views)
      : mmu_(mmu),
        strategy_(strategy),
        views_(views),
        last_gfn_(bit(mmu.config.address_bits - kPageShift) - 1) {}

  // Applies rows [row, end) of a batch that was checked. Returns the first row
  // that was not applied: `end`, or the one that ran out of memory.
  std::size_t run(const EventColumns& events, const OutcomeColumns& outcomes,
                  std::size_t row, std::size_t end) {
    while (row < end) {
      const std::size_t stop = std::min(row + kGroup, end);
      row = run_group(events, outcomes, row, stop);
      if (row < stop) return row;
    }
    return end;
  }

 private:
  // Rows whose walks are in flight together. Larger ones spill, smaller ones
  // leave the memory system idle: bench/native/replay_bench.cpp.
  static constexpr std::size_t kGroup = 32;
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
      const std::uint64_t layout = mmu_.tree.layout_changes();
      Outcome out;
      if (!answer(events, row, gfn, word, out)) return row;
      outcomes.sptes_changed[row] = out.sptes_changed;
      outcomes.outcome[row] = static_cast<std::uint8_t>(out.code);
      outcomes.level[row] = out.level;
      outcomes.tables_read[row] = out.tables_read;
      if (mmu_.tree.layout_changes() != layout) {
        hardware = walk_ahead(ahead, row + 1 - first, end - first);
      }
    }
    return end;
  }

  HardwareWalk walk_ahead(Group& ahead, std::size_t i, std::size_t end) const {
    const HardwareWalk walk(mmu_.tree);
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
      const Gfn gfn = strategy_.canonical(ahead.gfn(i));
      if (slot->range.contains(gfn)) {
        slot->dirty->prefetch(gfn.value - slot->range.start.value);
      }
    }
  }

  bool first_touch(const Translation& at, AliasedGfn gfn, std::uint8_t access,
                   std::uint16_t vcpu) {
    return strategy_.walk_gfn(gfn) == gfn &&
           map_first_touch(mmu_, at, strategy_.canonical(gfn), access, vcpu);
  }

  // Everything but hits and first touches; `word` is what hardware found.
  // False: out of memory, and nothing has changed.
  bool answer(const EventColumns& events, std::size_t row, AliasedGfn gfn,
              std::uint64_t word, Outcome& out) {
    if (events.kind[row] == 0) {
      return miss(gfn, events.access[row], vcpu_of(events, row), word, out);
    }
    const auto gpa = static_cast<std::uint64_t>(events.gpa[row]);
    const auto bytes = static_cast<std::uint64_t>(events.bytes[row]);
    out = apply_vm_event(mmu_, views_, static_cast<EventKind>(events.kind[row]),
                         {{gpa >> kPageShift}, {(gpa + bytes) >> kPageShift}});
    return true;
  }

  // A script may write into a batch while it runs, after every row has been
  // checked. What comes of it may be nonsense but must stay in bounds, so what
  // serves as an index is read once and held to its range.
  //
  // Of a row that is not an access the frame is meaningless, and harmless.
  std::uint64_t frame(const EventColumns& events, std::size_t row) const {
    const auto gpa = static_cast<std::int64_t>(events.gpa[row]);
    return (static_cast<std::uint64_t>(gpa) >> kPageShift) & last_gfn_;
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

  // False: out of memory, and nothing has changed.
  bool miss(AliasedGfn gfn, std::uint8_t access, std::uint16_t vcpu,
            std::uint64_t word, Outcome& out) {
    const std::uint64_t before = mmu_.accounts.changed;
    out.tables_read =
        static_cast<std::uint8_t>(HardwareWalk(mmu_.tree).depth(gfn));
    Fault fault{.gfn = strategy_.canonical(gfn),
                .walk_gfn = strategy_.walk_gfn(gfn),
                .access = access,
                .vcpu = vcpu,
                .reserved = HardwareWalk::is_misconfigured(word)};
    fault.present = !fault.reserved && (word & ept::kPermissions) != 0;
    out.code = handle_fault(mmu_, fault);
    if (fault.out_of_memory) return false;
    out.level = static_cast<std::uint8_t>(fault.level);
    out.sptes_changed =
        static_cast<std::uint32_t>(mmu_.accounts.changed - before);
    return true;
  }

  Mmu& mmu_;
  const S& strategy_;
  const ViewsOf& views_;
  const std::uint64_t last_gfn_;
};

}  // namespace mmu
