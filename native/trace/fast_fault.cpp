#include "trace/fast_fault.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// A line that is longer takes the slow way, whose limit is far above.
constexpr std::ptrdiff_t kLongest = 4096;
constexpr std::ptrdiff_t kMaxFlags = 5;

constexpr std::uint64_t each(std::uint64_t byte) {
  return byte * 0x0101010101010101;
}

std::uint64_t load(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The high bit of each byte that is no hexadecimal digit, of either case.
// Sums of bytes below 0x80 carry into no neighbour.
std::uint64_t not_hex(std::uint64_t word) {
  const std::uint64_t low = word & each(0x7f);
  const std::uint64_t digit = low ^ each(0x30);                  // 0 to 9
  const std::uint64_t letter = (low | each(0x20)) ^ each(0x60);  // 1 to 6
  const std::uint64_t is_digit = ~(digit + each(0x80 - 10));
  const std::uint64_t is_letter =
      (letter + each(0x7f)) & ~(letter + each(0x80 - 7));
  return (word | ~(is_digit | is_letter)) & each(0x80);
}

// Eight hexadecimal digits as a number, the first in the lowest byte.
std::uint32_t hex_of(std::uint64_t word) {
  std::uint64_t n = (word & each(0x0f)) + ((word >> 6) & each(0x01)) * 9;
  n = ((n << 4) | (n >> 8)) & 0x00ff00ff00ff00ff;
  n = ((n << 8) | (n >> 16)) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>((n << 16) | (n >> 32));
}

// Up to eight digits at `at`, which eight bytes of the line follow; how many.
std::size_t read_hex8(const char* at, std::uint64_t& value) {
  const std::uint64_t word = load(at);
  const std::uint64_t others = not_hex(word);
  const auto digits =
      static_cast<std::size_t>(others == 0 ? 8 : std::countr_zero(others) / 8);
  if (digits == 0) return 0;
  // Digits move to the end, noughts come before them.
  const std::size_t gap = 8 * (8 - digits);
  const std::uint64_t zeros = gap == 0 ? 0 : each('0') >> (8 * digits);
  const std::uint64_t moved = gap == 0 ? word : word << gap;
  value = value << (4 * digits) | hex_of(moved | zeros);
  return digits;
}

// One to sixteen digits and no further one; null if not.
const char* read_hex(const char* at, std::uint64_t& value) {
  value = 0;
  const std::size_t first = read_hex8(at, value);
  if (first < 8) return first == 0 ? nullptr : at + first;
  at += 8;
  const std::size_t second = read_hex8(at, value);
  at += second;
  const bool more = kHexDigits[static_cast<std::uint8_t>(*at)] != kNoDigit;
  return more ? nullptr : at;
}

// The same where less than eight bytes of the line may follow.
const char* read_last_hex(const char* at, const char* end,
                          std::uint64_t& value) {
  if (end - at > 16 || at == end) return nullptr;
  std::uint64_t sum = 0;
  for (; at != end; ++at) {
    const std::uint8_t digit = kHexDigits[static_cast<std::uint8_t>(*at)];
    if (digit == kNoDigit) return nullptr;
    sum = sum << 4 | digit;
  }
  value = sum;
  return at;
}

template <std::size_t N>
const char* skip(const char* at, const char (&text)[N]) {
  return std::memcmp(at, text, N - 1) == 0 ? at + N - 1 : nullptr;
}

// "[003] d..1.    12.000345: " from behind the bracket; null if it is not so.
const char* read_head(const char* at, const char* end, Line& line) {
  const char* const cpu = at;
  while (is_digit(*at)) ++at;
  if (at == cpu || at[0] != ']' || at[1] != ' ') return nullptr;
  at += 2;
  // A digit or a blank is no flag: there is no such column, or it is padded.
  if (!is_digit(*at) && *at != ' ') {
    const char* const flags = at;
    while (at != end && !is_blank(*at)) ++at;
    if (at - flags > kMaxFlags) return nullptr;
  }
  while (at != end && *at == ' ') ++at;
  if (!read_time(at, end, line) || end - at < 2) return nullptr;
  return at[0] == ':' && at[1] == ' ' ? at + 2 : nullptr;
}

// The longest that must be there behind the event's time: the shortest fault
// is longer, so loads of eight bytes stay inside the line.
constexpr std::string_view kShortest =
    "kvm_page_fault: vcpu 0 rip 0x0 address 0x0 error_code 0x0";

const char* read_fields(const char* at, const char* end, Fault& fault) {
  if (end - at < static_cast<std::ptrdiff_t>(kShortest.size())) return nullptr;
  at = skip(at, "kvm_page_fault: vcpu ");
  if (at == nullptr) return nullptr;
  const char* const vcpu = at;
  std::uint64_t number = 0;
  while (is_digit(*at) && at - vcpu < 5) {
    number = number * 10 + static_cast<std::uint64_t>(*at++ - '0');
  }
  if (at == vcpu || number > UINT16_MAX) return nullptr;
  fault.vcpu = number;
  fault.names_vcpu = true;
  // From here on the rest of the shortest line keeps loads inside.
  if (end - at < 64 - 16) return nullptr;
  at = skip(at, " rip 0x");
  if (at == nullptr) return nullptr;
  at = read_hex(at, fault.rip);
  if (at == nullptr || end - at < 11 + 16 + 1) return nullptr;
  at = skip(at, " address 0x");
  if (at == nullptr) return nullptr;
  fault.gpa_at = at;
  at = read_hex(at, fault.gpa);
  if (at == nullptr || end - at < 14 + 1) return nullptr;
  at = skip(at, " error_code 0x");
  if (at == nullptr) return nullptr;
  fault.error_code_at = at;
  return read_last_hex(at, end, fault.error_code);
}

}  // namespace

LineScan choose_scan(std::string_view name) {
  if (name == "scalar") return nullptr;
  const auto paths = scan_paths();
  for (const ScanPath& path : paths) {
    if (path.name == name) return path.scan;
  }
  return paths.front().scan;
}

bool read_fast(LineScan scan, const char* at, const char* end, FastLine& out) {
  const LineMarks marks = scan(at, end);
  if (marks.newline == nullptr || marks.bracket == nullptr) return false;
  const bool odd = *at == '#' || marks.newline - at > kLongest ||
                   marks.bracket == at || !is_blank(marks.bracket[-1]);
  if (odd) return false;
  const char* event = read_head(marks.bracket + 1, marks.newline, out.line);
  if (event == nullptr) return false;
  if (read_fields(event, marks.newline, out.fault) == nullptr) return false;
  const auto task = static_cast<std::size_t>(marks.bracket - at);
  const auto length = static_cast<std::size_t>(marks.newline - event);
  out.line.task = {at, task};
  out.line.event = {event, length};
  out.end = marks.newline + 1;
  return true;
}

}  // namespace mmu::trace
