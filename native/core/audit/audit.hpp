// An audit: every structural check, over the whole state of one VM.
//
// Linear in tables and leaves but for a sort. It changes nothing, and may be
// asked for between any two events.
#pragma once

#include "core/mmu.hpp"

namespace mmu {

AuditReport audit(const Mmu& mmu);

// What audits in the course of a run have found, counted as violations are.
class AuditTally {
 public:
  // Audits now, and is due after every so many events from here on; of 0,
  // never again.
  void start(const Mmu& mmu, std::uint64_t period);
  // Events that may happen before the next one; the most there is, for none.
  std::uint64_t events_left(const Mmu& mmu) const noexcept;
  // Audits if it is time.
  void look(const Mmu& mmu);

  // With those that the rules have found, by rule.
  std::vector<ViolationView> with(std::vector<ViolationView> violations) const;
  // Once it has looked, with the rules that it looks for, by id.
  std::vector<std::string_view> with(
      const Mmu& mmu, std::vector<std::string_view> judged) const;

 private:
  struct Kept {
    ViolationView view;
    std::string reason;
  };

  void take(const Mmu& mmu);

  std::uint64_t period_ = 0;
  std::uint64_t due_ = 0;
  // Where it looked last: nothing has happened since if both are the same.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> looked_at_;
  std::vector<Kept> found_;
};

}  // namespace mmu
