// Small parts that lines of several layouts are made of.
#pragma once

#include <cstdint>
#include <string_view>

#include "trace/ftrace_line.hpp"
#include "trace/text_reader.hpp"

namespace mmu::trace {

inline constexpr unsigned kMaxDecimals = 9;
inline constexpr unsigned kMaxTickDigits = 18;  // so that ticks stay below 2^63

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

inline const char* skip_blanks(const char* at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

// Appends digits to `ticks`; returns how many there were.
inline unsigned read_digits(const char*& at, const char* end,
                            std::uint64_t& ticks) {
  const char* const start = at;
  std::uint64_t sum = ticks;
  while (at != end && is_digit(*at) && at - start < kMaxTickDigits) {
    sum = sum * 10 + static_cast<std::uint64_t>(*at++ - '0');
  }
  ticks = sum;
  return static_cast<unsigned>(at - start);
}

// "86.581928" or "123456789" into the line's ticks and decimals; false if no
// number that a clock gives is at `at`.
inline bool read_time(const char*& at, const char* end, Line& line) {
  std::uint64_t ticks = 0;
  const unsigned whole = read_digits(at, end, ticks);
  if (whole == 0) return false;
  unsigned decimals = 0;
  if (at != end && *at == '.') {
    ++at;
    decimals = read_digits(at, end, ticks);
    if (decimals == 0 || decimals > kMaxDecimals) return false;
  }
  if (whole + decimals > kMaxTickDigits) return false;
  line.ticks = ticks;
  line.decimals = decimals;
  return true;
}

}  // namespace mmu::trace
