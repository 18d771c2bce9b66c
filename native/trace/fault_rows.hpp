// From a fault as a line has it to a row: whose error code it is, which vCPU
// had it, and what is to be said about the guesses in between.
#pragma once

#include <cstdint>
#include <string_view>

#include "trace/ftrace_fault.hpp"
#include "trace/ftrace_line.hpp"
#include "trace/losses.hpp"
#include "trace/row.hpp"
#include "trace/skip_counts.hpp"
#include "trace/task_table.hpp"
#include "trace/vendor_judge.hpp"

namespace mmu::trace {

class FaultRows {
 public:
  FaultRows(DecodeTotals& totals, const Vendor* forced)
      : totals_(totals), judge_(forced) {}

  // Appends the row of a fault, or counts why it has none. The sink must not
  // be full. `line` is the fault's, for its task and time.
  Mismatch take(const Line& line, const Fault& fault, EventSink& sink);
  // Learns from another event of a thread.
  void learn(std::string_view event, const Line& line);
  void lose(std::uint64_t events) { losses_.add(events); }
  void skip(std::string_view reason) { skipped_.add(reason); }
  // Brings the totals up to date.
  void settle();

 private:
  void learn_page(std::string_view fields);
  Task* task_of(const Line& line);
  std::uint16_t vcpu_of(const Line& line, Task* task);
  std::uint16_t number_of(Task* task);
  Mismatch check(const Fault& fault, const Judged& judged) const;

  DecodeTotals& totals_;
  SkipCounts skipped_{totals_.skipped};
  Losses losses_{totals_};
  VendorJudge judge_;
  TaskTable tasks_;
};

}  // namespace mmu::trace
