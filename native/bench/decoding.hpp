// A whole input through a decoder, in chunks as a file's reader hands them on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/trial.hpp"
#include "trace/decoder.hpp"

namespace mmu::bench {

struct DecodedBatch {
  static constexpr std::size_t kRows = 65536;

  std::vector<double> doubles = std::vector<double>(3 * kRows);
  std::vector<std::uint16_t> vcpu = std::vector<std::uint16_t>(kRows);
  std::vector<std::uint8_t> small = std::vector<std::uint8_t>(2 * kRows);

  trace::EventSink sink() {
    return {.gpa = doubles.data(),
            .bytes = doubles.data() + kRows,
            .error_code = doubles.data() + 2 * kRows,
            .vcpu = vcpu.data(),
            .kind = small.data(),
            .access = small.data() + kRows,
            .capacity = kRows};
  }
};

// Returns how many records the input has.
inline std::uint64_t decode(std::string_view format,
                            std::span<const std::uint8_t> input,
                            DecodedBatch& batch) {
  constexpr std::size_t kChunk = std::size_t{256} << 10;
  const auto decoder = trace::make_decoder(format);
  for (std::size_t at = 0; at < input.size();) {
    trace::EventSink sink = batch.sink();
    const auto chunk = input.subspan(at, std::min(kChunk, input.size() - at));
    const bool is_last = at + chunk.size() == input.size();
    const auto step = decoder->decode(chunk, is_last, sink);
    expect(!step.failed, "decoding");
    at += step.consumed;
    keep(batch.doubles.data());
  }
  return decoder->totals().records;
}

}  // namespace mmu::bench
