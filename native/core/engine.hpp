// A machine for one alias strategy, and how a strategy enlists.
//
// The file of a strategy is where its engine is compiled: adding one leaves
// every other object as it was.
#pragma once

#include <utility>

#include "core/check_events.hpp"
#include "core/query.hpp"
#include "core/replay_loop.hpp"

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
    ReplayLoop<S> loop(mmu_, strategy_, views_);
    for (std::size_t row = 0; row < events.count;) {
      if (control.stop.load(std::memory_order_relaxed)) {
        return {row, true, aborted(row)};
      }
      const std::size_t end =
          std::min(row + RunControl::kControlPeriod, events.count);
      row = loop.run(events, outcomes, row, end);
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
    return done_since(mmu_, before);
  }

  std::vector<MemslotView> memslots() const override {
    return list_memslots(mmu_);
  }
  std::optional<MemslotView> memslot(std::uint32_t slot) const override {
    const Memslot* found = find_memslot(mmu_, slot);
    return found == nullptr ? std::nullopt : std::optional(view_of(*found));
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
    if (!fits(gpa, mmu_.config.address_bits)) return bad_gpa(gpa);
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
