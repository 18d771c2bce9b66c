// What must hold of a decoder for any bytes whatsoever.
//
// The first two bytes of an input choose where it is cut and how long a batch
// is; the rest goes through the decoder twice, whole and cut. Both runs must
// agree on rows, totals and refusal, and every row must be one that the
// engine accepts.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "../native/trace_rows.hpp"
#include "core/address.hpp"
#include "core/bits.hpp"

namespace mmu::trace::test {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void require_legal(const DecodedRow& row) {
  const bool access = row.kind == EventKind::kAccess;
  require(row.gpa >= 0 && row.gpa < 0x1p52 && row.bytes == 0);
  require(row.error_code >= 0 && row.error_code < 0x1p53);
  require(static_cast<unsigned>(row.kind) < kEventKindCount);
  require(row.access <= kAccessMask && (row.access != 0) == access);
  require(row.time >= 0);
}

inline void require_equal(const Decoded& a, const Decoded& b) {
  require(a.rows == b.rows && a.batches == b.batches);
  require(a.failed == b.failed && a.expected == b.expected);
  require(a.offset == b.offset && a.place == b.place);
  require(a.totals.bytes == b.totals.bytes);
  require(a.totals.records == b.totals.records);
  require(a.totals.lost == b.totals.lost);
  require(a.totals.skipped == b.totals.skipped);
}

inline int fuzz_decoder(std::string_view format, const std::uint8_t* data,
                        std::size_t size) {
  if (size < 2) return 0;
  const Cut cut{.chunk = std::size_t{1} + data[0],
                .batch = std::size_t{1} + data[1]};
  const std::span<const std::uint8_t> input(data + 2, size - 2);
  (void)detect_format(input);
  const Decoded whole = decode_all(format, input, {.batch = cut.batch});
  require_equal(whole, decode_all(format, input, cut));
  require(whole.failed || whole.totals.bytes == input.size());
  require(!whole.failed || !whole.expected.empty());
  require(!whole.failed || whole.offset <= input.size());
  require(whole.totals.records == whole.rows.size());
  for (const DecodedRow& row : whole.rows) require_legal(row);
  return 0;
}

}  // namespace mmu::trace::test
