#include "core/rules/rule_set.hpp"

#include <algorithm>

namespace mmu {
namespace {

// Zero-initialised before any dynamic initialiser runs, so the order in which
// rules enlist does not matter.
constinit const RuleEntry* first = nullptr;

}  // namespace

std::string_view declared_defect(const Mmu& mmu, std::string_view candidates) {
  const AliasEntry* strategy = find_alias(mmu.config.strategy);
  for (const AliasDefect& defect : strategy->support.defects) {
    const bool here =
        mmu.alias.flavour() == Flavour::kTdp ? defect.tdp : defect.rmap;
    const bool named = candidates.find(defect.id) != std::string_view::npos;
    if (here && named) return defect.id;
  }
  return {};
}

const RuleEntry* rule_entries() noexcept { return first; }

const RuleEntry* detail::enlist(const RuleEntry& entry) noexcept {
  const RuleEntry* rest = first;
  first = &entry;
  return rest;
}

RuleSet::RuleSet(Mmu& mmu) {
  for (const RuleEntry* entry = first; entry != nullptr; entry = entry->next) {
    auto seat = std::make_unique<Seat>(mmu, *entry);
    seat->rule = entry->make(mmu, *seat);
    if (seat->rule == nullptr) continue;
    sees_walks_ |= entry->sees_walks;
    seats_.push_back(std::move(seat));
  }
  std::ranges::sort(seats_, {}, [](const std::unique_ptr<Seat>& seat) {
    return seat->found.rule;
  });
}

void RuleSet::served(const Served& served) {
  for (const auto& seat : seats_) seat->rule->served(served);
}

void RuleSet::strayed(const Strayed& strayed) {
  for (const auto& seat : seats_) seat->rule->strayed(strayed);
}

void RuleSet::answered(const Answered& answered) {
  for (const auto& seat : seats_) seat->rule->answered(answered);
}

void RuleSet::removed(GfnRange range) {
  for (const auto& seat : seats_) seat->rule->removed(range);
}

void RuleSet::unmapped(GfnRange range) {
  for (const auto& seat : seats_) seat->rule->unmapped(range);
}

void RuleSet::flushed(GfnRange range) {
  for (const auto& seat : seats_) seat->rule->flushed(range);
}

void RuleSet::planned(const FlushRequest& request, const FlushPlan& plan) {
  for (const auto& seat : seats_) seat->rule->planned(request, plan);
}

void RuleSet::add_memory(Digest& digest) const {
  for (const auto& seat : seats_) seat->rule->add_memory(digest);
}

std::vector<ViolationView> RuleSet::found(RuleKind kind) const {
  std::vector<ViolationView> found;
  for (const auto& seat : seats_) {
    const bool has_fired = seat->found.count != 0;
    if (has_fired && seat->entry.kind == kind) found.push_back(seat->found);
  }
  return found;
}

std::vector<std::string_view> RuleSet::judged() const {
  std::vector<std::string_view> ids;
  for (const auto& seat : seats_) ids.push_back(seat->entry.id);
  return ids;
}

void RuleSet::Seat::violate(const Finding& finding) {
  if (found.count++ != 0) return;
  found.first_event = mmu.event;
  found.gpa = finding.gpa;
  // No strategy declares what is no fault of it.
  const bool is_advice = entry.kind == RuleKind::kAdvisory;
  found.defect =
      is_advice ? entry.defects : declared_defect(mmu, entry.defects);
  found.reason = finding.reason;
}

}  // namespace mmu
