// Alias strategy "v5-as-reviewed": the patch as its review has it.
//
// By the review's account a full flush follows every range flush. None does
// after a call that succeeded; if it did, no alias would stay cached.
#include "core/alias/v5_033.hpp"

namespace mmu {
namespace {

constexpr AliasDefect kDefects[] = {
    {"D1a", true, false}, {"D1b", false, true}, {"D4"}, {"D5", false, true}};
constexpr std::string_view kBreaks[] = {"progress", "sharing", "views",
                                        "internal", "mtrr"};

class V5AsReviewed final : public V5Patch033 {
 public:
  static constexpr std::string_view kName = "v5-as-reviewed";
  static constexpr std::string_view kSummary =
      "the v5 patch, were the full flush unconditional as its review says";
  static constexpr AliasSupport kSupport{.defects = kDefects,
                                         .breaks = kBreaks};

  using V5Patch033::V5Patch033;

  FlushPlan flush_plan(const FlushRequest& request) const override {
    if (space().bit_count > 1) return FlushPlan::everything();
    FlushPlan plan = FlushPlan::one(request.range);
    plan.full = space().bit_count != 0;
    return plan;
  }
};

const RegisterAlias<V5AsReviewed> registered;

}  // namespace
}  // namespace mmu
