// Alias strategy "toy": all that a strategy needs, in one file.
//
// It keeps every default answer but one. The defaults give each alias tables
// of its own; what is left to decide is how a range is flushed, and this one
// asks for the range once through each alias. That is right, and wasteful: an
// alias that nobody has used is flushed too. `precise` does better.
//
// To try it, copy it to native/core/alias/ and build.
#include "core/engine.hpp"

namespace mmu {
namespace {

class Toy final : public Alias {
 public:
  static constexpr std::string_view kName = "toy";
  static constexpr std::string_view kSummary =
      "an example: separate tables, and a range flush for every alias";
  static constexpr AliasSupport kSupport{};

  using Alias::Alias;

  FlushPlan flush_plan(const FlushRequest& request) const override {
    FlushPlan plan;
    for (const View& view : views(request.range)) plan.call(view.range);
    return plan;
  }
};

const RegisterAlias<Toy> registered;

}  // namespace
}  // namespace mmu
