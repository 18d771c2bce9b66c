// Lines of a chunk of bytes: where one ends, and whether it was cut.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace mmu::trace {

inline constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;

struct RawLine {
  std::string_view text{};  // without its end
  std::size_t bytes = 0;    // with it; 0 if the chunk ends too early
  bool terminated = true;   // false if the trace stops before its end
  bool too_long = false;
};

inline RawLine next_line(const char* at, std::size_t size, bool last) {
  const auto* newline = static_cast<const char*>(std::memchr(at, '\n', size));
  const std::size_t length =
      newline ? static_cast<std::size_t>(newline - at) : size;
  RawLine line;
  line.too_long = length > kMaxLineBytes;
  if (!newline && !last) return line;
  line.text = {at, length};
  line.bytes = length + (newline ? 1 : 0);
  line.terminated = newline != nullptr;
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  return line;
}

}  // namespace mmu::trace
