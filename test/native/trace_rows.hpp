// Runs a decoder over bytes, cut anywhere, and keeps what came out.
//
// It feeds a decoder the way a reader of files does: what was not consumed
// comes again, with more behind it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.hpp"
#include "trace/decoder.hpp"

namespace mmu::trace::test {

struct DecodedRow {
  double gpa = 0;
  double bytes = 0;
  double error_code = 0;
  double time = 0;
  std::uint64_t rip = 0;
  unsigned vcpu = 0;
  EventKind kind = EventKind::kAccess;
  unsigned access = 0;

  friend bool operator==(const DecodedRow&, const DecodedRow&) = default;
};

struct Decoded {
  std::vector<DecodedRow> rows;
  std::vector<std::size_t> batches;  // rows of each, the last may be short
  DecodeTotals totals;
  bool failed = false;
  std::string expected;
  std::uint64_t offset = 0;
  std::uint64_t place = 0;  // line or record
};

// Owns columns for a sink of `capacity` rows.
class Columns {
 public:
  explicit Columns(std::size_t capacity, bool extra = true)
      : doubles_(4 * capacity),
        words_(2 * capacity),
        vcpu_(capacity),
        small_(2 * capacity) {
    sink.gpa = doubles_.data();
    sink.bytes = sink.gpa + capacity;
    sink.error_code = sink.bytes + capacity;
    sink.time = extra ? sink.error_code + capacity : nullptr;
    sink.rip_low = extra ? words_.data() : nullptr;
    sink.rip_high = extra ? words_.data() + capacity : nullptr;
    sink.vcpu = vcpu_.data();
    sink.kind = small_.data();
    sink.access = sink.kind + capacity;
    sink.capacity = capacity;
  }

  DecodedRow row(std::size_t i) const {
    DecodedRow row{.gpa = sink.gpa[i],
                   .bytes = sink.bytes[i],
                   .error_code = sink.error_code[i],
                   .vcpu = sink.vcpu[i],
                   .kind = static_cast<EventKind>(sink.kind[i]),
                   .access = sink.access[i]};
    if (sink.time == nullptr) return row;
    row.time = sink.time[i];
    row.rip = std::uint64_t{sink.rip_high[i]} << 32 | sink.rip_low[i];
    return row;
  }

  EventSink sink;

 private:
  std::vector<double> doubles_;
  std::vector<std::uint32_t> words_;
  std::vector<std::uint16_t> vcpu_;
  std::vector<std::uint8_t> small_;
};

struct Cut {
  std::size_t chunk = SIZE_MAX;  // bytes that arrive at a time
  std::size_t batch = 1000;      // rows of a sink
};

inline void keep(Columns& columns, Decoded& out) {
  if (columns.sink.count == 0) return;
  out.batches.push_back(columns.sink.count);
  for (std::size_t i = 0; i < columns.sink.count; ++i) {
    out.rows.push_back(columns.row(i));
  }
  columns.sink.count = 0;
}

inline void keep(const DecodeStep& step, Decoded& out) {
  out.failed = true;
  out.expected = step.error.detail;
  for (const ErrorValue& value : step.error.values) {
    if (value.key == "offset") out.offset = value.value;
    if (value.key == "line" || value.key == "record") out.place = value.value;
  }
}

inline Decoded decode_all(std::string_view format,
                          std::span<const std::uint8_t> input, Cut cut = {},
                          const DecodeOptions& options = {}) {
  const auto decoder = make_decoder(format, options);
  Columns columns(cut.batch);
  Decoded out;
  std::size_t begin = 0;  // consumed
  std::size_t end = std::min(cut.chunk, input.size());
  while (true) {
    const bool last = end == input.size();
    const auto chunk = input.subspan(begin, end - begin);
    const DecodeStep step = decoder->decode(chunk, last, columns.sink);
    begin += step.consumed;
    if (step.failed) keep(step, out);
    const bool full = columns.sink.count == columns.sink.capacity;
    if (full) keep(columns, out);
    if (step.failed || (last && !full)) break;
    if (!full) end += std::min(cut.chunk, input.size() - end);
  }
  keep(columns, out);
  out.totals = decoder->totals();
  return out;
}

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline Decoded decode_text(std::string_view text, Cut cut = {},
                           const DecodeOptions& options = {}) {
  return decode_all("ftrace", bytes_of(text), cut, options);
}

// Everything but where the input was cut into chunks.
inline bool same_result(const Decoded& a, const Decoded& b) {
  return a.rows == b.rows && a.batches == b.batches && a.failed == b.failed &&
         a.expected == b.expected && a.offset == b.offset &&
         a.place == b.place && a.totals == b.totals;
}

}  // namespace mmu::trace::test
