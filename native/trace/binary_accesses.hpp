// Records of accesses into columns, a block at a time: what nearly all of a
// capture is.
//
// Why that is what one after the other comes to: a record makes one row, and no
// row depends on another; a block with anything else in it, marker or mistake,
// is left to whoever goes record by record (binary_format.cpp).
// test/native/trace_binary_test.cpp holds both to each other.
//
// No branch a record, and words rather than fields: the one behind rip has all
// that is to be checked but addresses. Those, and times, become doubles by the
// bits of 2^52; one that is beyond it is no plain record.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/address.hpp"
#include "trace/binary_record.hpp"
#include "trace/decoder.hpp"
#include "trace/fault_code.hpp"

namespace mmu::trace {

class AccessBlock {
 public:
  static constexpr std::size_t kRecords = 32;
  static constexpr std::size_t kBytes = kRecords * sizeof(BinaryRecord);

  explicit AccessBlock(const std::uint8_t* at) : at_(at) {}

  // Asks for what comes a page later, where the processor, which does not know
  // that the file goes on there, would begin anew. Harmless past the end.
  [[gnu::always_inline]] void ask_ahead() const {
    constexpr std::size_t kLine = 64;
    for (std::size_t i = 0; i < kBytes; i += kLine) {
      __builtin_prefetch(at_ + kPageSize + i);
    }
  }

  [[gnu::always_inline]] bool is_plain() const {
    constexpr std::uint64_t kOther =
        std::uint64_t{0xffffffff & ~kPferrMask} |
        std::uint64_t{0xffff & ~BinaryRecord::kAccessFlags} << kFlagsShift;
    constexpr std::uint64_t kNames = kPferrUser | kPferrWrite | kPferrFetch;
    std::uint64_t bad = 0;
    for (std::size_t i = 0; i < kRecords; ++i) {
      const std::uint64_t rest = word(i, kRest);
      bad |= (word(i, kTime) | word(i, kGpa)) >> kExactBits;
      bad |= rest & kOther;
      bad |= std::uint64_t{(rest & kNames) == 0};
    }
    return bad == 0;
  }

  // Of a plain block, where the sink has room for it.
  [[gnu::always_inline]] void put(EventSink& sink) const {
    const std::size_t row = sink.count;
    double* const gpa = sink.gpa + row;
    double* const code = sink.error_code + row;
    std::uint16_t* const vcpu = sink.vcpu + row;
    std::uint8_t* const access = sink.access + row;
    for (std::size_t i = 0; i < kRecords; ++i) {
      const std::uint64_t rest = word(i, kRest);
      gpa[i] = to_double(word(i, kGpa));
      code[i] = static_cast<std::int32_t>(rest & kPferrMask);
      vcpu[i] = static_cast<std::uint16_t>(rest >> kVcpuShift);
      access[i] = access_in_pferr(static_cast<std::uint32_t>(rest));
    }
    std::fill_n(sink.bytes + row, kRecords, 0.0);
    std::fill_n(sink.kind + row, kRecords,
                static_cast<std::uint8_t>(EventKind::kAccess));
    if (sink.time != nullptr) put_extra(sink, row);
    sink.count += kRecords;
  }

 private:
  static constexpr std::size_t kTime = offsetof(BinaryRecord, nanoseconds);
  static constexpr std::size_t kRip = offsetof(BinaryRecord, rip);
  static constexpr std::size_t kGpa = offsetof(BinaryRecord, gpa);
  static constexpr std::size_t kRest = offsetof(BinaryRecord, error_code);
  static constexpr unsigned kExactBits = 52;
  static constexpr unsigned kVcpuShift = 32;
  static constexpr unsigned kFlagsShift = 48;

  std::uint64_t word(std::size_t i, std::size_t offset) const {
    std::uint64_t value = 0;
    std::memcpy(&value, at_ + i * sizeof(BinaryRecord) + offset, sizeof value);
    return value;
  }

  static double to_double(std::uint64_t gpa) {
    constexpr double kTwo52 = 4503599627370496.0;
    return std::bit_cast<double>(gpa | std::bit_cast<std::uint64_t>(kTwo52)) -
           kTwo52;
  }

  // Rows that an observer looks at too.
  [[gnu::always_inline]] void put_extra(EventSink& sink,
                                        std::size_t row) const {
    double* const time = sink.time + row;
    std::uint32_t* const low = sink.rip_low + row;
    std::uint32_t* const high = sink.rip_high + row;
    for (std::size_t i = 0; i < kRecords; ++i) {
      const std::uint64_t rip = word(i, kRip);
      low[i] = static_cast<std::uint32_t>(rip);
      high[i] = static_cast<std::uint32_t>(rip >> 32);
    }
    for (std::size_t i = 0; i < kRecords; ++i)
      time[i] = to_double(word(i, kTime)) / kNanosecondsPerSecond;
  }

  const std::uint8_t* at_;
};

}  // namespace mmu::trace
