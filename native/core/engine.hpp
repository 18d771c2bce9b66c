// The batch loop: hardware first, KVM only where hardware could not.
//
// The strategy is the one template parameter, because it is asked on every
// miss and compiles to a few instructions. Everything that KVM does stands in
// files that are compiled once; this one only translates between the two
// forms of a frame number.
#pragma once

#include <array>
#include <utility>

#include "core/alias/alias_strategy.hpp"
#include "core/check_events.hpp"
#include "core/fault.hpp"
#include "core/first_touch.hpp"
#include "core/hardware_walk.hpp"
#include "core/memslot_ops.hpp"
#include "core/query.hpp"
#include "core/range_ops.hpp"

namespace mmu {

template <AliasStrategy S>
class Engine final : public Machine {
 public:
  Engine(const MachineConfig& config, PagePool&& arena)
      : mmu_(config, std::move(arena)),
        views_([this](GfnRange range) { return strategy_.views(range); }) {}

  const MachineConfig& config() const noexcept override { return mmu_.config; }

  RunResult run(const EventColumns& events, const OutcomeColumns& outcomes,
                RunControl& control) override {
    if (std::optional<Error> bad = check_events(events, mmu_.config)) {
      return {0, true, *std::move(bad)};
    }
    for (std::size_t row = 0; row < events.count;) {
      if (control.stop.load(std::memory_order_relaxed)) {
        return {row, true, aborted(row)};
      }
      const std::size_t end =
          std::min(row + RunControl::kControlPeriod, events.count);
      row = run_block(events, outcomes, row, end);
      control.applied.store(row, std::memory_order_relaxed);
      if (row < end) return {row, true, out_of_memory(mmu_)};
    }
    return {events.count, false, {}};
  }

  Result<Outcome> step(const Event& event) override {
    const double gpa = static_cast<double>(event.gpa);
    const double bytes = static_cast<double>(event.bytes);
    const auto kind = static_cast<std::uint8_t>(event.kind);
    const EventColumns row{&gpa,  &bytes,        nullptr, &event.vcpu,
                           &kind, &event.access, 1};
    Outcome out;
    std::uint8_t code = 0;
    const OutcomeColumns columns{&out.sptes_changed, &code, &out.level,
                                 &out.tables_read};
    RunControl control;
    RunResult result = run(row, columns, control);
    if (result.failed) return std::move(result.error);
    out.code = static_cast<OutcomeCode>(code);
    return out;
  }

  Result<Outcome> set_memslot(const MemslotRegion& region) override {
    const std::uint64_t before = mmu_.accounts.changed;
    const Result<SlotChange> change = mmu::set_memslot(mmu_, views_, region);
    if (!change) return change.error();
    return done_since(before);
  }

  std::vector<MemslotView> memslots() const override {
    return list_memslots(mmu_);
  }
  std::uint64_t generation(unsigned as_id) const override {
    return mmu_.slot_sets[as_id].generation();
  }
  Result<std::vector<std::uint64_t>> dirty_log(std::uint32_t slot,
                                               bool peek) override {
    return read_dirty_log(mmu_, views_, slot, peek);
  }
  Result<std::vector<StepView>> walk(std::uint64_t gpa) const override {
    return list_steps(mmu_, gpa);
  }
  Result<std::vector<LeafView>> rmap(std::uint64_t gpa) const override {
    if (!fits(gpa, mmu_.config.address_bits)) return bad_gpa(mmu_, gpa);
    const Gfn gfn = strategy_.canonical(gfn_of(Gpa{gpa}));
    std::vector<LeafView> leaves;
    for (const View& view : views_({gfn, {gfn.value + 1}})) {
      append_leaves(leaves, mmu_, view.range, false);
    }
    return leaves;
  }
  std::vector<LeafView> leaves(bool mmio) const override {
    std::vector<LeafView> leaves;
    append_leaves(leaves, mmu_, whole_space(mmu_.config), mmio);
    return leaves;
  }
  std::vector<NamedCount> stats() const override { return list_stats(mmu_); }
  TableCounts tables() const override { return count_tables(mmu_); }
  DirtyRounds dirty_rounds() const override { return mmu_.dirty_rounds; }

 private:
  // Rows whose walks are in flight together. Larger ones spill, smaller ones
  // leave the memory system idle: bench/native/replay_bench.cpp.
  static constexpr std::size_t kGroup = 32;

  // Returns the first row that was not applied: `end`, or the one that ran out
  // of memory.
  std::size_t run_block(const EventColumns& events,
                        const OutcomeColumns& outcomes, std::size_t row,
                        std::size_t end) {
    while (row < end) {
      const std::size_t stop = std::min(row + kGroup, end);
      row = run_group(events, outcomes, row, stop);
      if (row < stop) return row;
    }
    return end;
  }

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
    std::array<Translation, kGroup> group;
    Translation* const ahead = group.data() - row;
    HardwareWalk hardware = walk_ahead(events, ahead, row, end);
    for (; row < end; ++row) {
      const Translation& at = ahead[row];
      const std::uint8_t wanted = events.access[row];
      std::uint64_t* const entry = hardware.last(at, frame(events, row));
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
      if (events.kind[row] == 0 && word == 0 && first_touch(events, row, at)) {
        outcomes.sptes_changed[row] = 1;
        outcomes.outcome[row] = static_cast<std::uint8_t>(OutcomeCode::kFixed);
        outcomes.level[row] = 1;
        outcomes.tables_read[row] = tables_read(Level::k4K);
        continue;
      }
      const std::uint64_t layout = mmu_.tree.layout_changes();
      Outcome out;
      if (!answer(events, row, word, out)) return row;
      outcomes.sptes_changed[row] = out.sptes_changed;
      outcomes.outcome[row] = static_cast<std::uint8_t>(out.code);
      outcomes.level[row] = out.level;
      outcomes.tables_read[row] = out.tables_read;
      if (mmu_.tree.layout_changes() != layout) {
        hardware = walk_ahead(events, ahead, row + 1, end);
      }
    }
    return end;
  }

  HardwareWalk walk_ahead(const EventColumns& events, Translation* ahead,
                          std::size_t row, std::size_t end) const {
    const HardwareWalk walk(mmu_.tree);
    for (std::size_t i = row; i < end; ++i) {
      ahead[i] = walk.walk_ahead(frame(events, i));
    }
    prefetch_dirty(events, row, end);
    return walk;
  }

  // A first touch in a logged slot sets a dirty bit, on a cache line of its
  // own. Hits pay for the question only while the slot is logged.
  //
  // Inlined by force, down to the prefetch: a compiler that sees a call which
  // does nothing else takes it for one without effect and drops it.
  [[gnu::always_inline]] void prefetch_dirty(const EventColumns& events,
                                             std::size_t row,
                                             std::size_t end) const {
    const Memslot* slot = mmu_.slots().last_found();
    if (slot == nullptr || !slot->dirty) return;
    for (; row < end; ++row) {
      const Gfn gfn = strategy_.canonical(frame(events, row));
      if (slot->range.contains(gfn)) {
        slot->dirty->prefetch(gfn.value - slot->range.start.value);
      }
    }
  }

  bool first_touch(const EventColumns& events, std::size_t row,
                   const Translation& at) {
    const AliasedGfn gfn = frame(events, row);
    return strategy_.walk_gfn(gfn) == gfn &&
           map_first_touch(mmu_, at, strategy_.canonical(gfn),
                           events.access[row], vcpu_of(events, row));
  }

  // Everything but hits and first touches; `word` is what hardware found.
  // False: out of memory, and nothing has changed.
  bool answer(const EventColumns& events, std::size_t row, std::uint64_t word,
              Outcome& out) {
    if (events.kind[row] == 0) {
      return miss(frame(events, row), events.access[row], vcpu_of(events, row),
                  word, out);
    }
    out = operate(static_cast<EventKind>(events.kind[row]),
                  static_cast<std::uint64_t>(events.gpa[row]),
                  static_cast<std::uint64_t>(events.bytes[row]));
    return true;
  }

  // Meaningless, and harmless, for a row that is not an access.
  static AliasedGfn frame(const EventColumns& events, std::size_t row) {
    const auto gpa = static_cast<std::int64_t>(events.gpa[row]);
    return {static_cast<std::uint64_t>(gpa) >> kPageShift};
  }

  // A script may write into a batch while it runs, after every row has been
  // checked. What comes of it may be nonsense but must stay in bounds. Frames
  // are masked at every level of a walk and searched for in the slots; a vCPU
  // number is an index, so it is read once and held to its range.
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

  Outcome operate(EventKind kind, std::uint64_t gpa, std::uint64_t bytes) {
    const std::uint64_t before = mmu_.accounts.changed;
    const GfnRange range{{gpa >> kPageShift}, {(gpa + bytes) >> kPageShift}};
    switch (kind) {
      case EventKind::kAccess:
      case EventKind::kEnd:
        break;
      case EventKind::kZap:
        for (const View& view : views_(range)) zap_leafs(mmu_.tree, view.range);
        break;
      case EventKind::kZapAllFast:
        zap_all_fast(mmu_);
        break;
      case EventKind::kDirtyLogGet:
        count_round(mmu_.dirty_rounds, take_dirty_logs(range));
        break;
      case EventKind::kDirtyLogEnable:
      case EventKind::kDirtyLogDisable:
        set_loggings(range, kind == EventKind::kDirtyLogEnable);
        break;
    }
    return done_since(before);
  }

  // An empty range means every slot.
  template <class Act>
  void for_each_slot(GfnRange range, Act act) {
    for (Memslot* slot : mmu_.slots().in_id_order()) {
      if (range.empty() || slot->range.overlaps(range)) act(*slot);
    }
  }

  std::uint64_t take_dirty_logs(GfnRange range) {
    std::uint64_t pages = 0;
    for_each_slot(range, [&](Memslot& slot) {
      if (slot.is_logged()) pages += take_dirty_log(mmu_, views_, slot);
    });
    return pages;
  }

  // Nobody asks for a log of what cannot be written.
  void set_loggings(GfnRange range, bool logged) {
    for_each_slot(range, [&](Memslot& slot) {
      if (!logged || !slot.is_readonly()) {
        set_logging(mmu_, views_, slot, logged);
      }
    });
  }

  Outcome done_since(std::uint64_t before) const {
    return {OutcomeCode::kDone, 0, 0,
            static_cast<std::uint32_t>(mmu_.accounts.changed - before)};
  }

  [[no_unique_address]] S strategy_;
  Mmu mmu_;
  ViewsOf views_;
};

// Enlists a strategy: one object of this type in the strategy's own file is
// all that a new strategy needs.
template <AliasStrategy S>
class RegisterAlias {
 public:
  RegisterAlias() : entry_{S::kName, S::kSummary, &make, answers(), nullptr} {
    entry_.next = detail::enlist(entry_);
  }

 private:
  static std::unique_ptr<Machine> make(const MachineConfig& config,
                                       PagePool&& arena) {
    return std::make_unique<Engine<S>>(config, std::move(arena));
  }

  static AliasAnswers answers() {
    return {[](AliasedGfn issued) { return S{}.canonical(issued); },
            [](AliasedGfn issued) { return S{}.walk_gfn(issued); },
            [](AliasedGfn issued) { return S{}.root_of(issued); },
            [](GfnRange range) { return S{}.views(range); }};
  }

  AliasEntry entry_;
};

}  // namespace mmu
