// The rules of one VM, and what they have found.
#pragma once

#include <vector>

#include "core/rules/rule.hpp"

namespace mmu {

// The one of these defects, which stand apart by spaces, that the strategy's
// source has in this flavour; empty if none.
std::string_view declared_defect(const Mmu& mmu, std::string_view candidates);

class RuleSet {
 public:
  explicit RuleSet(Mmu& mmu);

  void served(const Served& served);
  // Whether anybody wants to know what the tables served and KVM answered.
  bool sees_walks() const noexcept { return sees_walks_; }
  void strayed(const Strayed& strayed);
  void answered(const Answered& answered);
  void removed(GfnRange range);
  void unmapped(GfnRange range);
  void flushed(GfnRange range);
  void planned(const FlushRequest& request, const FlushPlan& plan);
  void add_memory(Digest& digest) const;

  // Rules of that kind that fired, by id.
  std::vector<ViolationView> found(RuleKind kind) const;
  // Ids of all that can fire in this VM, in order.
  std::vector<std::string_view> judged() const;

 private:
  // One rule's seat: where its findings are counted.
  struct Seat final : Rule::Report {
    Seat(const Mmu& mmu, const RuleEntry& entry) : mmu(mmu), entry(entry) {
      found.rule = entry.id;
    }
    void violate(const Finding& finding) override;

    const Mmu& mmu;
    const RuleEntry& entry;
    ViolationView found;
    std::unique_ptr<Rule> rule;
  };

  std::vector<std::unique_ptr<Seat>> seats_;
  bool sees_walks_ = false;
};

}  // namespace mmu
