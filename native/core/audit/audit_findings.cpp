#include "core/audit/audit_findings.hpp"

#include "core/rules/rule_set.hpp"

namespace mmu {

AuditFindings::AuditFindings(const Mmu& mmu) : mmu_(mmu) {
  report_.events = mmu.event;
}

void AuditFindings::begin(std::string_view rule) {
  report_.counts.push_back({rule, 0});
}

void AuditFindings::add(std::string reason, std::optional<AuditPlace> place,
                        std::string_view defects) {
  AuditReport::Count& all = report_.counts.back();
  if (all.count++ >= kMostOfARule) return;
  report_.findings.push_back({all.rule, declared_defect(mmu_, defects),
                              std::move(reason), std::move(place)});
}

void AuditFindings::expect(std::string_view what, std::uint64_t kept,
                           std::uint64_t counted) {
  if (kept != counted) {
    add(words(what, " is kept as ", kept, ", where ", counted, " are found"));
  }
}

AuditReport AuditFindings::take() {
  std::erase_if(report_.counts,
                [](const AuditReport::Count& of) { return of.count == 0; });
  return std::move(report_);
}

}  // namespace mmu
