// A rule: what must never be seen, or, as an advisory, need not be paid for,
// and the list of all rules.
//
// A rule watches a VM and never changes it. One file a rule; it enlists itself
// and is found by name wherever rules are shown or asked for. A VM keeps only
// the rules that can fire in it, and one without alias bits and TLBs none.
#pragma once

#include <memory>
#include <string_view>

#include "core/access.hpp"
#include "core/digest.hpp"

namespace mmu {

// An access that hardware served: from a TLB, or from the tables.
struct Served {
  const Access& access;
  Gfn canonical;
  Pfn pfn;  // of the very page
  Level level;
  bool from_tlb = false;
  // The TLB entry should have gone with a flush that has completed.
  bool overdue = false;
};

// A walk that went by a link which a vCPU had cached, and which should have
// gone with a flush that has completed.
struct Strayed {
  const Access& access;
  Level level;  // of the table that has, or had, the link
};

// An access that KVM answered, so that the guest went on.
struct Answered {
  const Access& access;
  Gfn canonical;
  OutcomeCode answer;   // kFixed, kSpurious, kUnzapped
  OutcomeCode outcome;  // the same, or kStuck
};

struct Finding {
  std::string_view reason;  // one clause
  std::uint64_t gpa = 0;    // as issued
};

class Rule {
 public:
  // Counts a violation by the event that runs.
  class Report {
   public:
    virtual void violate(const Finding& finding) = 0;

   protected:
    ~Report() = default;
  };

  explicit Rule(const Mmu& mmu, Report& report) : mmu_(mmu), report_(report) {}
  virtual ~Rule() = default;

  virtual void served(const Served&) {}
  virtual void strayed(const Strayed&) {}
  virtual void answered(const Answered&) {}
  // A zap, or the end or move of a slot, of these canonical frames is over.
  virtual void removed(GfnRange) {}
  // The host took the memory behind these slot frames, and its zap is over.
  virtual void unmapped(GfnRange) {}
  // A flush that was due for these slot frames is over, carried out or elided.
  virtual void flushed(GfnRange) {}
  // A flush is due, and this is what will be asked for; not yet done.
  virtual void planned(const FlushRequest&, const FlushPlan&) {}
  // What it remembers and will judge by: fingerprint.hpp.
  virtual void add_memory(Digest&) const {}

  // Unless a rule says otherwise.
  static constexpr RuleKind kKind = RuleKind::kViolation;
  // Whether it is told all that the tables served and KVM answered. Who is not
  // is told of the rest: of answers that leave an access stuck, and of what a
  // TLB serves writes, or what is overdue.
  static constexpr bool kSeesWalks = true;
  // Options of a VM without which it is blind, apart by spaces: tlb,
  // flushProvider, internalSlots, memoryTypes, audit.
  static constexpr std::string_view kNeeds{};

 protected:
  const Mmu& vm() const { return mmu_; }
  void violate(const Finding& finding) { report_.violate(finding); }

 private:
  const Mmu& mmu_;
  Report& report_;
};

struct RuleEntry {
  std::string_view id;
  RuleKind kind;
  std::string_view sentence;  // lower case, no full stop
  std::string_view reason;    // what is lost where it is broken: sentences
  std::string_view source;    // where KVM, or a patch to it, says so
  // Known defects that show this way, apart by spaces; the one that the
  // strategy's source has is named with what was found.
  std::string_view defects;
  std::string_view needs;  // see Rule::kNeeds
  bool sees_walks;         // see Rule::kSeesWalks
  // Null if the rule cannot fire in this VM.
  std::unique_ptr<Rule> (*make)(Mmu&, Rule::Report&);
  const RuleEntry* next;
};

const RuleEntry* rule_entries() noexcept;

namespace detail {
const RuleEntry* enlist(const RuleEntry& entry) noexcept;
}  // namespace detail

// Enlists a rule; R::applies(mmu) says whether it can fire.
template <class R>
class RegisterRule {
 public:
  RegisterRule()
      : entry_{R::kId,      R::kKind,  R::kSentence,  R::kReason, R::kSource,
               R::kDefects, R::kNeeds, R::kSeesWalks, &make,      nullptr} {
    entry_.next = detail::enlist(entry_);
  }

 private:
  static std::unique_ptr<Rule> make(Mmu& mmu, Rule::Report& report) {
    if (!R::applies(mmu)) return nullptr;
    return std::make_unique<R>(mmu, report);
  }

  RuleEntry entry_;
};

}  // namespace mmu
