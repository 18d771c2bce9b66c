// Text of tracepoints in, columns out: every event that a family knows makes a
// row, everything else is counted.
//
// A state machine over chunks, as the decoders of traces are; any way of
// cutting the text gives the same rows. A line that should be an event and is
// not is counted with its number, and the next one is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "observe/fields.hpp"

namespace mmu::observe {

// Where rows go. Rows [count, capacity) are filled.
struct Columns {
  std::uint64_t* words = nullptr;   // word w of row r at w * capacity + r
  double* line = nullptr;           // from 1
  double* time = nullptr;           // seconds, 0 for other clocks
  std::uint32_t* thread = nullptr;  // its number, 0 if none is printed
  std::uint8_t* event = nullptr;    // the number in events()
  std::uint8_t* given = nullptr;    // which words were in the text
  std::size_t capacity = 0;
  std::size_t count = 0;
};

// Of one row: what all columns take together.
inline constexpr std::size_t kRowBytes = kMostWords * sizeof(std::uint64_t) +
                                         2 * sizeof(double) +
                                         sizeof(std::uint32_t) + 2;

// The columns of a block of `capacity` rows, one behind the other.
Columns columns_in(std::byte* block, std::size_t capacity);

struct Malformed {
  std::uint64_t count = 0;
  std::uint64_t first_line = 0;
  std::string expected;  // at the first one
};

struct ObserverTotals {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t events = 0;  // rows
  // Lines passed over, by the event's name or what they are else.
  std::map<std::string, std::uint64_t, std::less<>> skipped;
  // Events that families know and could not read, by name.
  std::map<std::string, Malformed, std::less<>> malformed;
};

class Observer {
 public:
  // Reads whole lines off the front of `chunk`; returns the bytes that need
  // not come again. `last` says that nothing follows.
  std::size_t observe(std::span<const std::uint8_t> chunk, bool last,
                      Columns& out);

  const ObserverTotals& totals() const noexcept { return totals_; }
  const Texts& texts() const noexcept { return texts_; }

 private:
  struct RawLine;

  void take(const RawLine& line, Columns& out);
  void take_event(std::string_view name, std::string_view fields,
                  std::string_view task, double time, const RawLine& line,
                  Columns& out);
  void take_other(const RawLine& line, Columns& out);
  void append(std::string_view event, const Words& words, std::string_view task,
              double time, Columns& out);
  void malformed(std::string_view name, std::string expected);
  void skip(std::string_view reason);

  ObserverTotals totals_;
  Texts texts_;
  // In the middle of a line that is too long to be one.
  bool overlong_ = false;
};

}  // namespace mmu::observe
