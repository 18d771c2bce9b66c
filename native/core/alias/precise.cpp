// Alias strategy "precise": separate tables, and flushes for what was taken.
//
// Ours, and meant to be merged. It keeps every default answer: each alias has
// tables of its own, private memory a root of its own, attributes decide. What
// it adds is a plan that flushes as little as is right:
//
//   Law: a cached translation grants at most what its leaf grants. It holds
//   when the translation is made, and every operation that takes something
//   from a leaf ends with a flush of that leaf's frames, as issued. So before
//   an operation there is nothing stale, and after it only frames from which
//   it took something can be.
//
// Each shortcut rests on that law:
//   an alias from which nothing was taken is not flushed: nobody can have more
//     cached than is still mapped;
//   the call covers what was taken and not the slot: the rest did not change;
//   an operation that took nothing flushes nothing, though KVM would. That is
//     a dirty-log round whose pages were zapped meanwhile: the zap has flushed.
// Taking W for a dirty log may be lazy until userspace has its bitmap, and is
// flushed before that; taking Accessed owes nothing, and where W went with it,
// whoever takes W later counts as taken what may be cached with it; a tree that
// is dropped whole owes nothing, as every vCPU loads another root with a flush
// of its own.
//
// A call that fails, for want of capacity or otherwise, is made good by a full
// flush at once. With no provider the flush is full.
//
// KVM: the rules are those of kvm_flush_remote_tlbs_range() and its callers
// (v6.16); the idea of a range per live alias came up in the 2021 review.
#include "core/engine.hpp"

namespace mmu {
namespace {

class Precise final : public Alias {
 public:
  static constexpr std::string_view kName = "precise";
  static constexpr std::string_view kSummary =
      "separate tables; ranges for the aliases that lost something";
  static constexpr AliasSupport kSupport{};

  using Alias::Alias;

  FlushPlan flush_plan(const FlushRequest& request) const override {
    FlushPlan plan;
    for (unsigned alias = 0; alias < space().alias_count(); ++alias) {
      const Hull& taken = request.taken.of(alias);
      if (!taken.empty()) plan.call(taken.range);
    }
    return plan;
  }
};

const RegisterAlias<Precise> registered;

}  // namespace
}  // namespace mmu
