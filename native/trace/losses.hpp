// Accounts for what a recorder lost, and for time that runs backwards.
//
// A buffer that overflowed is said where the next event stands, one that was
// overwritten before it was read in the header; buffers that were merged, or
// recordings that were joined, show in their timestamps.
#pragma once

#include <cstdint>

#include "trace/decoder.hpp"
#include "trace/ftrace_line.hpp"

namespace mmu::trace {

class Losses {
 public:
  explicit Losses(DecodeTotals& totals) : totals_(totals) {}

  // The recorder dropped `events` before the next row.
  void add(std::uint64_t events) {
    if (events == 0) return;
    totals_.lost += events;
    auto& gaps = totals_.gaps;
    if (!gaps.empty() && gaps.back().before == totals_.records) {
      gaps.back().events += events;
    } else if (gaps.size() < kMaxPlaces) {
      gaps.push_back({totals_.records, events});
    }
  }

  // An event with this time comes next; it need not make a row.
  void look_at(const Line& line) {
    if (is_older(line)) {
      ++totals_.backwards;
      auto& places = totals_.backwards_at;
      if (places.size() < kMaxPlaces) places.push_back(totals_.records);
    }
    ticks_ = line.ticks;
    decimals_ = line.decimals;
  }

 private:
  bool is_older(const Line& line) const {
    if (line.decimals == decimals_) return line.ticks < ticks_;
    // Another recorder's clock: compared as far as both can say.
    const Line last{.ticks = ticks_, .decimals = decimals_};
    return decimals_ != 0 && line.decimals != 0 &&
           line.seconds() < last.seconds();
  }

  DecodeTotals& totals_;
  std::uint64_t ticks_ = 0;
  unsigned decimals_ = 0;
};

}  // namespace mmu::trace
