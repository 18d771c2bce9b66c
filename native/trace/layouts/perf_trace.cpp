// `perf trace`: milliseconds, task/tid, and the event right behind its system.
//
//   12.879 CPU 0/KVM/4145 kvm:kvm_page_fault:address fffff000 error_code 181
#include "trace/layout.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// Milliseconds with three decimals are seconds with six.
constexpr unsigned kMillisecondDecimals = 3;

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
         c == '_';
}

// "kvm:kvm_page_fault:"
bool is_event(std::string_view text) {
  for (int word = 0; word < 2; ++word) {
    std::size_t size = 0;
    while (size < text.size() && is_name(text[size])) ++size;
    if (size == 0 || size == text.size() || text[size] != ':') return false;
    text.remove_prefix(size + 1);
  }
  return true;
}

// Where the task ends: behind a slash and digits. A task's name may hold
// slashes too, so an event must follow.
bool split_task(std::string_view text, Line& line) {
  std::size_t slash = 0;
  while ((slash = text.find('/', slash)) != std::string_view::npos) {
    std::size_t end = ++slash;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == slash || end == text.size() || !is_blank(text[end])) continue;
    const std::string_view event = trim(text.substr(end));
    if (!is_event(event)) continue;
    line.task = text.substr(0, end);
    line.event = event;
    return true;
  }
  return false;
}

bool split(std::string_view text, Line& line) {
  const char* const end = text.data() + text.size();
  const char* at = skip_blanks(text.data(), end);
  Line found;
  if (!read_time(at, end, found) || at == end || !is_blank(*at)) return false;
  if (found.decimals != kMillisecondDecimals) return false;
  at = skip_blanks(at, end);
  if (!split_task({at, static_cast<std::size_t>(end - at)}, found)) {
    return false;
  }
  found.decimals += kMillisecondDecimals;
  line = found;
  return true;
}

const LayoutEntry entry({.name = "perf-trace", .rank = 3, .split = split});

}  // namespace
}  // namespace mmu::trace
