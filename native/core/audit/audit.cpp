#include "core/audit/audit.hpp"

#include <algorithm>
#include <limits>

#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

// Zero-initialised before any dynamic initialiser runs, as the list of rules.
constinit const CheckEntry* first = nullptr;

// Those that can find anything in this VM, by rule.
std::vector<const CheckEntry*> checks_of(const Mmu& mmu) {
  std::vector<const CheckEntry*> checks;
  for (const CheckEntry* at = first; at != nullptr; at = at->next) {
    if (at->applies(mmu)) checks.push_back(at);
  }
  std::ranges::sort(checks, {}, &CheckEntry::rule);
  return checks;
}

}  // namespace

const CheckEntry* check_entries() noexcept { return first; }

const CheckEntry* detail::enlist(const CheckEntry& entry) noexcept {
  const CheckEntry* rest = first;
  first = &entry;
  return rest;
}

const Memslot* slot_at(const Mmu& mmu, Gfn gfn) {
  const auto& slots = mmu.slots().slots();
  const auto after = std::upper_bound(
      slots.begin(), slots.end(), gfn,
      [](Gfn g, const auto& slot) { return g < slot->range.start; });
  if (after == slots.begin()) return nullptr;
  const Memslot* slot = std::prev(after)->get();
  return slot->range.contains(gfn) ? slot : nullptr;
}

AuditReport audit(const Mmu& mmu) {
  const Census census(mmu);
  AuditFindings findings(mmu);
  for (const CheckEntry* entry : checks_of(mmu)) {
    findings.begin(entry->rule);
    entry->check(mmu, census, findings);
  }
  return findings.take();
}

void AuditTally::start(const Mmu& mmu, std::uint64_t period) {
  if (looked_at_ != std::pair{mmu.event, mmu.accounts.changed}) take(mmu);
  period_ = period;
  due_ = mmu.event + period;
}

std::uint64_t AuditTally::events_left(const Mmu& mmu) const noexcept {
  if (period_ == 0) return std::numeric_limits<std::uint64_t>::max();
  return due_ - mmu.event;
}

void AuditTally::look(const Mmu& mmu) {
  if (period_ == 0 || mmu.event < due_) return;
  due_ = mmu.event + period_;
  take(mmu);
}

// The first finding of a rule stands for the others. It is of the state after
// the event before this one.
void AuditTally::take(const Mmu& mmu) {
  const AuditReport report = audit(mmu);
  looked_at_ = {mmu.event, mmu.accounts.changed};
  for (const AuditReport::Count& of : report.counts) {
    const auto same = [&](const auto& each) { return each.rule == of.rule; };
    auto at = std::ranges::find(
        found_, of.rule, [](const Kept& kept) { return kept.view.rule; });
    if (at == found_.end()) {
      const AuditFinding& found = *std::ranges::find_if(report.findings, same);
      ViolationView view{};
      view.rule = of.rule;
      view.defect = found.defect;
      view.first_event = std::max<std::uint64_t>(report.events, 1) - 1;
      view.gpa = found.place ? found.place->gpa : 0;
      at = found_.insert(at, {view, found.reason});
    }
    at->view.count += of.count;
  }
}

std::vector<ViolationView> AuditTally::with(
    std::vector<ViolationView> violations) const {
  for (const Kept& kept : found_) {
    violations.push_back(kept.view);
    violations.back().reason = kept.reason;
  }
  std::ranges::sort(violations, {}, &ViolationView::rule);
  return violations;
}

std::vector<std::string_view> AuditTally::with(
    const Mmu& mmu, std::vector<std::string_view> judged) const {
  if (!looked_at_) return judged;
  for (const CheckEntry* entry : checks_of(mmu)) judged.push_back(entry->rule);
  std::ranges::sort(judged);
  return judged;
}

}  // namespace mmu
