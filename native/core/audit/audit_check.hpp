// A structural check: what must be true of a VM's state at any moment between
// two events, and the list of all checks.
//
// One file a rule; it enlists itself, among the rules too, which shows it
// wherever rules are shown. A check compares the state with what the census
// found and never asks the code that keeps it.
#pragma once

#include "core/audit/audit_findings.hpp"
#include "core/rules/rule.hpp"

namespace mmu {

struct CheckEntry {
  std::string_view rule;
  bool (*applies)(const Mmu&);
  void (*check)(const Mmu&, const Census&, AuditFindings&);
  const CheckEntry* next;
};

const CheckEntry* check_entries() noexcept;

namespace detail {
const CheckEntry* enlist(const CheckEntry& entry) noexcept;
}  // namespace detail

// What a check has besides its own words.
class Check {
 public:
  static constexpr RuleKind kKind = RuleKind::kViolation;
  static constexpr std::string_view kDefects{};
  static constexpr std::string_view kNeeds = "audit";
  static bool applies(const Mmu&) { return true; }
};

template <class C>
class RegisterCheck {
 public:
  RegisterCheck()
      : rule_{C::kId,           C::kKind,    C::kSentence, C::kReason,
              C::kSource,       C::kDefects, C::kNeeds,    false,
              &watches_nothing, nullptr},
        check_{C::kId, &C::applies, &C::check, nullptr} {
    rule_.next = detail::enlist(rule_);
    check_.next = detail::enlist(check_);
  }

 private:
  // Events tell it nothing: it is asked.
  static std::unique_ptr<Rule> watches_nothing(Mmu&, Rule::Report&) {
    return nullptr;
  }

  RuleEntry rule_;
  CheckEntry check_;
};

// Parts of checks that are many, each about one kind of book.
void check_shadow_pages(const Mmu&, const Census&, AuditFindings&);
void check_reverse_maps(const Mmu&, const Census&, AuditFindings&);
void check_counts(const Mmu&, const Census&, AuditFindings&);
void check_slots(const Mmu&, const Census&, AuditFindings&);
void check_tlbs(const Mmu&, const Census&, AuditFindings&);

// The slot that backs the frame, or null. Unlike MemslotSet::find() it leaves
// no note of where it looked last.
const Memslot* slot_at(const Mmu& mmu, Gfn gfn);

}  // namespace mmu
