// A machine for one alias strategy, and how a strategy enlists.
//
// The file of a strategy is where its engine is compiled: adding one leaves
// every other object as it was.
#pragma once

#include <cstring>
#include <new>
#include <utility>

#include "core/audit/audit.hpp"
#include "core/check_events.hpp"
#include "core/dirty_calls.hpp"
#include "core/fingerprint.hpp"
#include "core/flavour.hpp"
#include "core/guest/guest_machine.hpp"
#include "core/host_events.hpp"
#include "core/host_ops.hpp"
#include "core/lpage_info.hpp"
#include "core/memory_types.hpp"
#include "core/memslot_family.hpp"
#include "core/page_view.hpp"
#include "core/prefault.hpp"
#include "core/query.hpp"
#include "core/replay_loop.hpp"
#include "core/ring_calls.hpp"
#include "core/statistics.hpp"
#include "core/tracepoints/tracing.hpp"
#include "core/vm_calls.hpp"
#include "core/walk_batch.hpp"

namespace mmu {

template <AliasStrategy S>
class Engine final : public GuestMachine {
 public:
  Engine(MachineSetup&& setup, PagePool&& arena)
      : strategy_(setup.space, setup.config.mmu),
        mmu_(std::move(setup), strategy_, std::move(arena)) {}

  const MachineConfig& config() const noexcept override { return mmu_.config; }

  std::optional<Error> make_internal_slots() {
    return mmu::make_internal_slots(mmu_);
  }

  RunResult run(const EventColumns& events, const OutcomeColumns& outcomes,
                RunControl& control) override {
    if (std::optional<Error> bad = check_events(events, mmu_)) {
      return {0, true, *std::move(bad)};
    }
    clear_flushes(outcomes, events.count);
    ReplayLoop<S> loop(mmu_, strategy_);
    for (std::size_t row = 0; row < events.count;) {
      if (control.stop.load(std::memory_order_relaxed)) {
        return {row, true, aborted(row)};
      }
      row = run_abreast(loop, events, outcomes, row, control);
      const std::size_t end = row + part_of(events.count - row);
      if (!run_part(loop, events, outcomes, row, end)) {
        control.applied.store(row, std::memory_order_relaxed);
        return {row, true, out_of_memory(mmu_)};
      }
      control.applied.store(row, std::memory_order_relaxed);
    }
    return {events.count, false, {}};
  }

  Result<Outcome> step(const Event& event) override {
    // An upper half is below zero, where addresses are the guest's own.
    const double gpa =
        static_cast<double>(static_cast<std::int64_t>(event.gpa));
    const double bytes = static_cast<double>(event.bytes);
    const auto kind = static_cast<std::uint8_t>(event.kind);
    const EventColumns row{&gpa,  &bytes,        nullptr, &event.vcpu,
                           &kind, &event.access, 1};
    Outcome out;
    std::uint8_t code = 0;
    const OutcomeColumns columns{
        &out.sptes_changed, &out.flushed_pages, &code,
        &out.level,         &out.tables_read,   &out.flush};
    RunControl control;
    RunResult result = run(row, columns, control);
    if (result.failed) return std::move(result.error);
    out.code = static_cast<OutcomeCode>(code);
    return out;
  }

  Result<Outcome> set_memslot(const MemslotRegion& region) override {
    const std::uint64_t before = mmu_.accounts.changed;
    mmu_.flush.begin_event(false);
    if (mmu_.trace) mmu_.trace->begin();
    const Result<SlotChange> change = mmu::set_memslot(mmu_, region);
    if (!change) return change.error();
    return done_since(mmu_, before);
  }

  std::optional<Error> set_host_mapping(
      const HostMappingRequest& request) override {
    return mmu::set_host_mapping(mmu_, request);
  }

  Result<PrefaultResult> prefault(unsigned vcpu, std::uint64_t gpa,
                                  std::uint64_t bytes) override {
    return prefault_memory(mmu_, vcpu, gpa, bytes);
  }
  InvalidationView invalidation() const override {
    return invalidation_view(mmu_);
  }
  void set_interleave(std::function<void(Machine&)> others,
                      InterleaveAt at) override {
    mmu_.interleave = nullptr;
    mmu_.interleave_at = others ? at : InterleaveAt::kBeforeLock;
    if (others) {
      mmu_.interleave = [this, run = std::move(others)] { run(*this); };
    }
    remember_slots(mmu_);
  }

  Result<Outcome> set_mmu_pages(std::uint64_t pages) override {
    const std::uint64_t before = mmu_.accounts.changed;
    mmu_.flush.begin_event(false);
    if (pages < kLeastMmuPages) {
      return Error{ErrorCode::kMmuPages,
                   {{{"pages", pages}, {"min", kLeastMmuPages}}}};
    }
    mmu_.ops->set_page_limit(pages);
    return done_since(mmu_, before);
  }

  StateParts state_parts() const override { return mmu::state_parts(mmu_); }

  std::vector<MemslotView> memslots() const override {
    return list_memslots(mmu_);
  }
  std::optional<MemslotView> memslot(std::uint32_t slot) const override {
    const Memslot* found = find_memslot(mmu_, slot);
    return found == nullptr ? std::nullopt : std::optional(view_of(*found));
  }
  std::optional<std::vector<std::uint32_t>> lpage_info(
      std::uint32_t slot, std::uint8_t level) const override {
    const Memslot* found = find_memslot(mmu_, slot);
    if (found == nullptr || level < 2 || level > 3) return std::nullopt;
    return list_lpage_info(mmu_, *found, level_of(level));
  }
  std::uint64_t generation(unsigned as_id) const override {
    return mmu_.slot_sets[as_id].generation();
  }
  unsigned address_spaces() const override {
    return mmu_.slot_rules.address_spaces;
  }
  Result<std::vector<std::uint64_t>> dirty_log(std::uint32_t slot, bool peek,
                                               bool copy_fails) override {
    mmu_.flush.begin_event(false);
    if (mmu_.trace) mmu_.trace->begin();
    return read_dirty_log(mmu_, slot, {peek, copy_fails});
  }
  Result<Outcome> clear_dirty_log(
      const DirtyLogClear& clear,
      std::span<const std::uint64_t> bitmap) override {
    const std::uint64_t before = mmu_.accounts.changed;
    mmu_.flush.begin_event(false);
    if (mmu_.trace) mmu_.trace->begin();
    if (auto error = mmu::clear_dirty_log(mmu_, clear, bitmap)) return *error;
    return done_since(mmu_, before);
  }
  Result<std::vector<DirtyRingEntry>> collect_ring(
      std::uint32_t vcpu, std::uint64_t most) override {
    return mmu::collect_ring(mmu_, vcpu, most);
  }
  Result<RingReset> reset_rings() override {
    const std::uint64_t before = mmu_.accounts.changed;
    mmu_.flush.begin_event(false);
    if (mmu_.trace) mmu_.trace->begin();
    const Result<std::uint64_t> entries = mmu::reset_rings(mmu_);
    if (!entries) return entries.error();
    return RingReset{entries.value(), done_since(mmu_, before)};
  }
  std::optional<Error> enable_cap(std::uint32_t cap, std::uint32_t flags,
                                  std::uint64_t arg0) override {
    return mmu::enable_cap(mmu_, cap, flags, arg0);
  }
  std::optional<Error> disable_quirks(std::uint64_t mask) override {
    return mmu::disable_quirks(mmu_, mask);
  }
  Result<std::uint32_t> create_vcpu(std::uint32_t id) override {
    return mmu::create_vcpu(mmu_, id);
  }
  Result<std::int32_t> create_guest_memfd(std::uint64_t bytes,
                                          std::uint64_t flags) override {
    return mmu::create_guest_memfd(mmu_, bytes, flags);
  }
  Result<GuestTransfer> guest_write(std::uint16_t vcpu, std::uint64_t gpa,
                                    std::uint64_t bytes) override {
    return mmu::guest_write(mmu_, vcpu, gpa, bytes);
  }
  Result<GuestTransfer> guest_read(std::uint64_t gpa,
                                   std::uint64_t bytes) override {
    return mmu::guest_read(mmu_, gpa, bytes);
  }
  std::optional<Error> set_trace(std::optional<TraceRelease> release) override {
    return tracing_.set(mmu_, release);
  }
  std::string take_trace() override { return tracing_.take(); }
  Result<Outcome> set_mtrr(std::uint32_t msr, std::uint64_t value) override {
    return mmu::set_mtrr(mmu_, msr, value);
  }
  Result<std::vector<StepView>> walk(std::uint64_t gpa) const override {
    return list_steps(mmu_, gpa);
  }
  std::optional<Error> walk_batch(const WalkColumns& rows) const override {
    return mmu::walk_batch(mmu_, rows);
  }
  Result<PageView> page(std::uint64_t gpa) const override {
    return view_page(mmu_, gpa);
  }
  Result<std::vector<LeafView>> rmap(std::uint64_t gpa) const override {
    return list_ways(mmu_, gpa);
  }
  std::vector<LeafView> leaves(bool mmio) const override {
    return list_leaves(mmu_, mmio);
  }
  std::vector<NamedCount> stats() const override { return list_stats(mmu_); }
  Result<std::vector<NamedCount>> stats(std::uint32_t vcpu) const override {
    return list_vcpu_stats(mmu_, vcpu);
  }
  TableCounts tables() const override { return count_tables(mmu_); }
  DirtyRounds dirty_rounds() const override { return mmu_.dirty_rounds; }
  std::vector<TableView> table_list() const override {
    return list_tables(mmu_);
  }
  std::vector<AliasLeaves> alias_leaves() const override {
    return count_alias_leaves(mmu_);
  }
  Result<std::uint64_t> rmap_count(std::uint64_t gpa) const override {
    return count_rmap(mmu_, gpa);
  }
  Result<bool> is_private(std::uint64_t gpa) const override {
    return has_private_attribute(mmu_, gpa);
  }
  FlushView flushes() const override { return flush_view(mmu_); }
  std::vector<ViolationView> violations() const override {
    return audits_.with(list_found(mmu_, RuleKind::kViolation));
  }
  std::vector<ViolationView> advisories() const override {
    return list_found(mmu_, RuleKind::kAdvisory);
  }
  std::vector<std::string_view> judged() const override {
    return audits_.with(mmu_, list_judged(mmu_));
  }
  AuditReport audit() const override { return mmu::audit(mmu_); }
  void audit_every(std::uint64_t period) override {
    audits_.start(mmu_, period);
  }
  std::optional<MemoryFaultView> memory_fault(unsigned vcpu) const override {
    return vcpu < mmu_.vcpu_states.size() ? mmu_.vcpu_states[vcpu].memory_fault
                                          : std::nullopt;
  }
  std::uint64_t coexisting() const override { return mmu_.coexisting; }
  std::uint64_t conversions() const override { return mmu_.conversions; }

 protected:
  Mmu& mmu() override { return mmu_; }
  const Mmu& mmu() const override { return mmu_; }

 private:
  // Few events flush, so the columns are cleared in one sweep and the loop
  // writes them only for those.
  static void clear_flushes(const OutcomeColumns& outcomes, std::size_t rows) {
    std::memset(outcomes.flushed_pages, 0, rows * sizeof(std::uint32_t));
    std::memset(outcomes.flush, 0, rows);
  }

  // Rows until it is time to look up. What a projection inserted is no event,
  // so that an audit may not be due yet after so many.
  std::size_t part_of(std::size_t rows) const {
    const std::uint64_t left = audits_.events_left(mmu_);
    return std::min<std::uint64_t>({RunControl::kControlPeriod, rows, left});
  }

  // The hits that are next, if there is a crew for them. An audit looks at a
  // state in which nothing is under way, so none may fall due among them.
  std::size_t run_abreast(ReplayLoop<S>& loop, const EventColumns& events,
                          const OutcomeColumns& outcomes, std::size_t row,
                          RunControl& control) const {
    if (control.crew == nullptr) return row;
    const std::uint64_t left = audits_.events_left(mmu_);
    const std::size_t end =
        row + std::min<std::uint64_t>(events.count - row, left);
    row = loop.run_abreast(*control.crew, events, outcomes, row, end,
                           control.stop);
    control.applied.store(row, std::memory_order_relaxed);
    return row;
  }

  // Rows [row, end); false: the one that `row` has become had no memory, of the
  // arena or of the process, and has changed nothing.
  [[gnu::noinline]] bool run_part(ReplayLoop<S>& loop,
                                  const EventColumns& events,
                                  const OutcomeColumns& outcomes,
                                  std::size_t& row, std::size_t end) {
    try {
      row = loop.run(events, outcomes, row, end);
      audits_.look(mmu_);
    } catch (const std::bad_alloc&) {
      row = loop.last_row();
      return false;
    }
    return row == end;
  }

  S strategy_;
  Mmu mmu_;
  Tracing tracing_;
  AuditTally audits_;
};

// Enlists a strategy: one object of this type in the strategy's own file is
// all that a new strategy needs.
template <AliasStrategy S>
class RegisterAlias {
 public:
  RegisterAlias()
      : entry_{S::kName, S::kSummary, S::kSupport, &make, &answers, nullptr} {
    entry_.next = detail::enlist(entry_);
  }

 private:
  static Result<std::unique_ptr<Machine>> make(MachineSetup&& setup,
                                               PagePool&& arena) {
    const bool internal_slots = setup.config.internal_slots;
    auto engine =
        std::make_unique<Engine<S>>(std::move(setup), std::move(arena));
    if (internal_slots) {
      if (auto error = engine->make_internal_slots()) return *error;
    }
    return Result<std::unique_ptr<Machine>>(std::move(engine));
  }

  static std::unique_ptr<Alias> answers(const AliasSpace& space,
                                        Flavour flavour) {
    return std::make_unique<S>(space, flavour);
  }

  AliasEntry entry_;
};

}  // namespace mmu
