// Rule rmap-mismatch: what the legacy MMU finds by hash, by parent list and by
// reverse map is what there is.
#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

class RmapMismatch final : public Check {
 public:
  static constexpr std::string_view kId = "rmap-mismatch";
  static constexpr std::string_view kSentence =
      "a reverse map, parent list or hash differs from the entries";
  static constexpr std::string_view kReason =
      "Zaps and write protection of the legacy MMU go by these lists: what a "
      "list lacks stays mapped when the host takes the page back, and what it "
      "has too much is an entry of somebody else's that goes instead.";
  static constexpr std::string_view kSource =
      "KVM: __rmap_add(), rmap_remove() and pte_list_remove(), which stops the "
      "host over a list that lacks an entry, v6.16";
  static constexpr std::string_view kDefects = "K1";

  static bool applies(const Mmu& mmu) { return mmu.ops->books().has_value(); }

  static void check(const Mmu& mmu, const Census& census,
                    AuditFindings& findings) {
    check_shadow_pages(mmu, census, findings);
    check_reverse_maps(mmu, census, findings);
  }
};

const RegisterCheck<RmapMismatch> registered;

}  // namespace
}  // namespace mmu
