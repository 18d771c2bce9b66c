// The fields of one event, read off its text into numbered words.
//
// Wraps TextReader, so the first thing that is not as expected is remembered
// and everything after it does nothing. Which word means what is the event's
// business.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trace/text_reader.hpp"

namespace mmu::observe {

// kvm_exit has the most fields of all events: eight.
inline constexpr unsigned kMostWords = 8;

struct Words {
  std::array<std::uint64_t, kMostWords> value{};
  // Bit i: word i was in the text.
  std::uint8_t given = 0;

  void set(unsigned word, std::uint64_t to) {
    value[word] = to;
    given |= static_cast<std::uint8_t>(1u << word);
  }
  bool has(unsigned word) const { return (given >> word & 1) != 0; }
};

// Texts that events carry, such as the reason of an exit: numbered in the order
// of their first appearance. Number 0 is the empty text.
class Texts {
 public:
  std::uint64_t number_of(std::string_view text);
  const std::vector<std::string>& all() const { return texts_; }

 private:
  // Damaged input must not make a million of them.
  static constexpr std::size_t kMost = 1024;
  static constexpr std::size_t kMostBytes = 64;

  std::vector<std::string> texts_{""};
};

class Fields {
 public:
  Fields(std::string_view text, Words& words, Texts& texts)
      : reader_(text), words_(words), texts_(texts) {}

  template <std::size_t N>
  Fields& literal(const char (&word)[N]) {
    reader_.literal(word);
    return *this;
  }
  template <std::size_t N>
  bool take(const char (&word)[N]) {
    return !reader_.mismatch() && reader_.take(word);
  }

  // With or without 0x: "%#llx" prints zero without it.
  Fields& hex(unsigned word);
  Fields& decimal(unsigned word);
  // Two's complement where it is negative.
  Fields& integer(unsigned word);
  // The text up to `end`, which is not stepped over; empty at most once.
  Fields& text_before(unsigned word, std::string_view end);
  // A pointer; what is printed instead of one ("(null)") is zero.
  Fields& pointer(unsigned word);
  // Names of error code bits joined by bars: "P|W|0x100000000", or nothing.
  Fields& error_flags(unsigned word);
  // "rwxu" with dashes, as bits 3 to 0.
  Fields& rights(unsigned word);
  // Whatever stands there up to the next blank; empty at the end.
  std::string_view next_token();
  // The rest of the line, of no interest.
  Fields& rest();

  Fields& expect(bool holds, std::string_view what) {
    reader_.expect(holds, reader_.at(), what);
    return *this;
  }
  void set(unsigned word, std::uint64_t to) { words_.set(word, to); }
  void set_text(unsigned word, std::string_view text) {
    words_.set(word, texts_.number_of(text));
  }
  const trace::Mismatch& finish() { return reader_.finish().mismatch(); }

 private:
  std::string_view left() const { return {reader_.at(), reader_.left()}; }
  void step(std::size_t bytes);

  trace::TextReader reader_;
  Words& words_;
  Texts& texts_;
};

}  // namespace mmu::observe
