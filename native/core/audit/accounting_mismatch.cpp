// Rule accounting-mismatch: what is counted, logged and cached agrees with the
// entries.
#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

class AccountingMismatch final : public Check {
 public:
  static constexpr std::string_view kId = "accounting-mismatch";
  static constexpr std::string_view kSentence =
      "a counter, dirty log or TLB entry differs from the entries";
  static constexpr std::string_view kReason =
      "Limits, migration and flushes rest on these books: a page that is clean "
      "in the log and may be written is not copied, and a translation that no "
      "flush will remove outlives what it was made for.";
  static constexpr std::string_view kSource =
      "KVM: kvm_update_page_stats(), mark_page_dirty_in_slot(), "
      "kvm_flush_remote_tlbs(), v6.16; what may stay cached is what "
      "kvm_mmu_notifier_clear_young() leaves";
  static constexpr std::string_view kDefects = "D2 B14 D4";

  static void check(const Mmu& mmu, const Census& census,
                    AuditFindings& findings) {
    check_counts(mmu, census, findings);
    check_slots(mmu, census, findings);
    check_tlbs(mmu, census, findings);
  }
};

const RegisterCheck<AccountingMismatch> registered;

}  // namespace
}  // namespace mmu
