// A whole string as one unsigned number, or nothing.
//
// Settings come as text: a sign, a blank or a digit too many is a mistake of
// whoever wrote it, and reading half of it would hide that.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mmu {

inline std::optional<std::uint64_t> parse_number(std::string_view text,
                                                 int base) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value, base);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

inline std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  return parse_number(text, 10);
}

}  // namespace mmu
