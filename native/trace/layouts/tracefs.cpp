// tracefs `trace` and `trace_pipe`, and what has the same fixed points:
// `trace-cmd report` pads the event's name, `perf script` puts "kvm:" before
// it, and both may leave the flags out.
//
//        CPU 0/KVM-4145    [002] .....    86.581928: kvm_page_fault: vcpu 0 ...
#include <cstring>

#include "trace/layout.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// The widest layouts have five flags; one more column appeared every few
// years.
constexpr std::size_t kMaxFlags = 8;

const char* find(const char* at, const char* end, char c) {
  const auto length = static_cast<std::size_t>(end - at);
  return static_cast<const char*>(std::memchr(at, c, length));
}

// "86.581928:"; false if the word at `at` is not a timestamp.
bool read_timestamp(const char*& at, const char* end, Line& line) {
  Line found;
  const char* here = at;
  if (!read_time(here, end, found) || here == end || *here != ':') return false;
  at = here + 1;
  line.ticks = found.ticks;
  line.decimals = found.decimals;
  return true;
}

// What follows the bracket that `at` points behind: cpu, flags, timestamp.
bool read_after_bracket(const char* at, const char* end, Line& line) {
  const char* const digits = at;
  while (at != end && is_digit(*at)) ++at;
  if (at == digits || at == end || *at != ']') return false;
  at = skip_blanks(at + 1, end);
  const char* const column = at;
  if (!read_timestamp(at, end, line)) {
    at = column;
    while (at != end && !is_blank(*at)) ++at;
    if (static_cast<std::size_t>(at - column) > kMaxFlags) return false;
    at = skip_blanks(at, end);
    if (!read_timestamp(at, end, line)) return false;
  }
  at = skip_blanks(at, end);
  line.event = {at, static_cast<std::size_t>(end - at)};
  return true;
}

bool split(std::string_view text, Line& line) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  for (const char* at = begin; (at = find(at, end, '[')) != nullptr; ++at) {
    if (at == begin || !is_blank(at[-1])) continue;
    if (!read_after_bracket(at + 1, end, line)) continue;
    line.task = {begin, static_cast<std::size_t>(at - begin)};
    return true;
  }
  return false;
}

// "CPU:3 [LOST 29 EVENTS]"; a kernel that has not counted says "LOST EVENTS".
std::optional<std::uint64_t> lost(std::string_view text) {
  TextReader reader(trim(text));
  std::uint64_t number = 1;
  if (reader.take("CPU:")) {
    std::uint64_t cpu = 0;
    reader.decimal(cpu);
    reader.skip_blanks();
  }
  reader.take('[');
  reader.literal("LOST ");
  if (!reader.take("EVENTS")) reader.decimal(number).literal(" EVENTS");
  reader.take(']');
  if (reader.finish().mismatch()) return std::nullopt;
  return number;
}

std::string noise(std::string_view text) {
  return trim(text).starts_with("=>") ? "stack trace" : std::string();
}

const LayoutEntry entry({
    .name = "tracefs",
    .rank = 0,
    .split = split,
    .lost = lost,
    .noise = noise,
});

}  // namespace
}  // namespace mmu::trace
