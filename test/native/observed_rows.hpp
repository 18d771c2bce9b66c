// Text observed, as rows that a test can compare.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observe/event.hpp"
#include "observe/observer.hpp"

namespace mmu::observe::test {

struct Seen {
  std::string_view event;
  std::vector<std::uint64_t> words;
  unsigned given = 0;
  double line = 0;
  double time = 0;
  std::uint32_t thread = 0;
  std::vector<std::string> texts;

  bool operator==(const Seen&) const = default;
};

inline std::string line(std::string_view event, std::string_view fields) {
  return "  vmm-77 [003] ..... 12.5: " + std::string(event) + ": " +
         std::string(fields) + "\n";
}

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Handed over in pieces of `piece` bytes, with room for `capacity` rows.
inline std::vector<Seen> rows_of(std::string_view text, Observer& observer,
                                 std::size_t piece, std::size_t capacity) {
  std::vector<std::byte> block(capacity * kRowBytes);
  std::vector<Seen> rows;
  std::size_t at = 0;
  for (std::size_t end = 0; at < text.size();) {
    end = std::min(end + piece, text.size());
    std::size_t consumed = 0;
    do {
      Columns out = columns_in(block.data(), capacity);
      consumed = observer.observe(bytes_of(text.substr(at, end - at)),
                                  end == text.size(), out);
      at += consumed;
      for (std::size_t row = 0; row < out.count; ++row) {
        Seen& seen = rows.emplace_back();
        seen.event = events()[out.event[row]].name;
        for (unsigned word = 0; word < kMostWords; ++word) {
          seen.words.push_back(out.words[word * capacity + row]);
        }
        seen.given = out.given[row];
        seen.line = out.line[row];
        seen.time = out.time[row];
        seen.thread = out.thread[row];
      }
    } while (consumed != 0);
  }
  for (Seen& seen : rows) seen.texts = observer.texts().all();
  return rows;
}

inline std::vector<Seen> rows_of(std::string_view text) {
  Observer observer;
  return rows_of(text, observer, text.size(), 64);
}

inline Seen one(std::string_view event, std::string_view fields) {
  Observer observer;
  const std::string text = line(event, fields);
  const auto rows = rows_of(text, observer, text.size(), 4);
  for (const auto& [name, each] : observer.totals().malformed) {
    INFO(name << ": expected " << each.expected);
    CHECK(each.count == 0);
  }
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].event == event);
  return rows[0];
}

}  // namespace mmu::observe::test
