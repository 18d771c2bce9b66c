// What must hold of a decoder for any bytes whatsoever.
//
// The first four bytes of an input choose where it is cut, how long a batch
// is, whose error codes it is said to have, and how lines are found; the rest
// goes through the decoder whole by the slow way, and cut by the chosen one.
// Both must agree on everything, and every row must be one that the engine
// accepts.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "../native/trace_rows.hpp"
#include "core/address.hpp"
#include "core/bits.hpp"

namespace mmu::trace::test {

inline constexpr std::size_t kChoiceBytes = 4;

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void require_legal(const DecodedRow& row) {
  const bool access = row.kind == EventKind::kAccess;
  require(row.gpa >= 0 && row.gpa <= 0x1p52);
  require(row.bytes >= 0 && row.gpa + row.bytes <= 0x1p52);
  require(row.error_code >= 0 && row.error_code < 0x1p53);
  require(static_cast<unsigned>(row.kind) < kEventKindCount);
  require(row.access <= kAccessMask);
  require(!access || (row.access != 0 && row.gpa < 0x1p52 && row.bytes == 0));
  require(row.time >= 0);
}

inline void require_whole(const Decoded& out, std::size_t size) {
  require(out.failed || out.totals.bytes == size);
  require(!out.failed || !out.expected.empty());
  require(!out.failed || out.offset <= size);
  require(out.totals.records == out.rows.size());
  require(out.totals.gaps.size() <= kMaxPlaces);
  require(out.totals.backwards_at.size() <= kMaxPlaces);
  for (const DecodedRow& row : out.rows) require_legal(row);
}

inline int fuzz_decoder(std::string_view format, const std::uint8_t* data,
                        std::size_t size) {
  constexpr std::array<std::string_view, 5> kVendors{"auto", "intel", "amd",
                                                     "tdx", "shadow"};
  constexpr std::array<std::string_view, 4> kPaths{"avx512", "avx2", "portable",
                                                   "scalar"};
  if (size < kChoiceBytes) return 0;
  const Cut cut{.chunk = std::size_t{1} + data[0],
                .batch = std::size_t{1} + data[1]};
  const DecodeOptions options{.vendor = kVendors[data[2] % kVendors.size()],
                              .path = kPaths[data[3] % kPaths.size()]};
  const std::span<const std::uint8_t> input(data + kChoiceBytes,
                                            size - kChoiceBytes);
  (void)detect_format(input);
  const Decoded whole =
      decode_all(format, input, {.batch = cut.batch},
                 {.vendor = options.vendor, .path = "scalar"});
  require_whole(whole, input.size());
  require(same_result(whole, decode_all(format, input, cut, options)));
  require(same_result(whole,
                      decode_all(format, input, {.batch = cut.batch}, options)));
  return 0;
}

}  // namespace mmu::trace::test
