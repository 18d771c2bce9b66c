// Alias strategy "v5-as-posted": the patch, read as a compiler reads it.
//
// The full flush behind the range flush is guarded by the result of the call.
// A provider that succeeds has been given the stripped range only, so what is
// cached through an alias stays cached (D2).
#include "core/alias/v5_033.hpp"

namespace mmu {
namespace {

constexpr AliasDefect kDefects[] = {{"D1a", true, false},
                                    {"D1b", false, true},
                                    {"D2", false, true},
                                    {"D4"},
                                    {"D5", false, true}};
constexpr std::string_view kBreaks[] = {"progress", "sharing", "views",
                                        "internal", "mtrr",    "flush"};

class V5AsPosted final : public V5Patch033 {
 public:
  static constexpr std::string_view kName = "v5-as-posted";
  static constexpr std::string_view kSummary =
      "the v5 patch: one shared table, stripped range flush, guarded full one";
  static constexpr AliasSupport kSupport{.defects = kDefects,
                                         .breaks = kBreaks};

  using V5Patch033::V5Patch033;

  // Breaks law "flush" (D2): only alias 0's frames are named.
  FlushPlan flush_plan(const FlushRequest& request) const override {
    return space().bit_count > 1 ? FlushPlan::everything()
                                 : FlushPlan::one(request.range);
  }
};

const RegisterAlias<V5AsPosted> registered;

}  // namespace
}  // namespace mmu
