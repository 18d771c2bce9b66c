// Reads fields off the front of a piece of text and remembers the first thing
// that was not as expected.
//
// After a mismatch every further step does nothing, so a sequence of steps is
// checked once, at its end. Knows numbers and literals, no trace format.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mmu::trace {

// Where text stopped making sense. Empty `expected`: it never did.
struct Mismatch {
  const char* at = nullptr;
  std::string_view expected{};
  bool verbatim = false;  // `expected` is the text itself, not a description

  explicit operator bool() const { return !expected.empty(); }
  std::string describe() const {
    return verbatim ? '"' + std::string(expected) + '"' : std::string(expected);
  }
};

inline constexpr std::uint8_t kNoDigit = 0xff;
inline constexpr auto kHexDigits = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoDigit);
  for (unsigned i = 0; i < 10; ++i) table['0' + i] = static_cast<uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) {
    table['a' + i] = table['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return table;
}();

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

class TextReader {
 public:
  explicit TextReader(std::string_view text)
      : at_(text.data()), end_(text.data() + text.size()) {}

  const char* at() const { return at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const Mismatch& mismatch() const { return mismatch_; }

  // Steps over `word` if it comes next.
  template <std::size_t N>
  bool take(const char (&word)[N]) {
    if (left() < N - 1 || std::memcmp(at_, word, N - 1) != 0) return false;
    at_ += N - 1;
    return true;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  template <std::size_t N>
  TextReader& literal(const char (&word)[N]) {
    if (!mismatch_ && !take(word)) {
      mismatch_ = {at_, std::string_view(word, N - 1), true};
    }
    return *this;
  }
  // One to sixteen digits, either case, no prefix. A table look-up a digit:
  // eight digits at a time in a 64-bit word were slower on traced lines,
  // whose numbers are of every length (native/bench/decode_text.cpp).
  TextReader& hex(std::uint64_t& value);
  // Fits 32 bits.
  TextReader& decimal(std::uint64_t& value);
  // Nothing but blanks may follow.
  TextReader& finish() {
    skip_blanks();
    return expect(at_ == end_, at_, "the end of the line");
  }
  TextReader& expect(bool holds, const char* where, std::string_view what) {
    if (!mismatch_ && !holds) mismatch_ = {where, what};
    return *this;
  }

 private:
  const char* at_;
  const char* end_;
  Mismatch mismatch_{};
};

inline TextReader& TextReader::hex(std::uint64_t& value) {
  if (mismatch_) return *this;
  const char* const start = at_;
  std::uint64_t sum = 0;
  for (; at_ != end_; ++at_) {
    const std::uint8_t digit = kHexDigits[static_cast<std::uint8_t>(*at_)];
    if (digit == kNoDigit) break;
    sum = sum << 4 | digit;
  }
  value = sum;
  const auto digits = at_ - start;
  return expect(digits >= 1 && digits <= 16, start,
                "a hexadecimal number of 1 to 16 digits");
}

inline TextReader& TextReader::decimal(std::uint64_t& value) {
  if (mismatch_) return *this;
  const char* const start = at_;
  std::uint64_t sum = 0;
  while (at_ != end_ && is_digit(*at_) && sum <= UINT32_MAX) {
    sum = sum * 10 + static_cast<std::uint64_t>(*at_++ - '0');
  }
  value = sum;
  return expect(at_ != start && sum <= UINT32_MAX, start,
                "a decimal number below 2^32");
}

}  // namespace mmu::trace
