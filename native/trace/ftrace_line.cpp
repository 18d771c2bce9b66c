#include "trace/ftrace_line.hpp"

#include <array>
#include <cstring>

#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// Linux: PID_MAX_LIMIT is 2^22; more digits than that number are no pid.
constexpr std::size_t kMaxPidDigits = 9;

constexpr std::array<double, kMaxDecimals + 1> kPowersOfTen{
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

// "CPU 0/KVM-4145 (  4100)" to "CPU 0/KVM-4145".
std::string_view without_group(std::string_view task) {
  task = trim(task);
  return task.ends_with(')') ? trim(task.substr(0, task.rfind('('))) : task;
}

// Where the digits at the end begin; the end, if there are none.
std::size_t digits_at_end(std::string_view task) {
  std::size_t at = task.size();
  while (at != 0 && is_digit(task[at - 1])) --at;
  return at;
}

// "CPU 0/KVM-4145 (  4100)" and perf's "CPU 0/KVM  4145" to "CPU 0/KVM".
std::string_view thread_name(std::string_view task) {
  task = without_group(task);
  const std::size_t name = digits_at_end(task);
  const bool has_pid = name != 0 && name != task.size() &&
                       (task[name - 1] == '-' || is_blank(task[name - 1]));
  return has_pid ? trim(task.substr(0, name - 1)) : task;
}

bool is_cpu_word(std::string_view word) {
  return (word[0] == 'c' || word[0] == 'C') &&
         (word[1] == 'p' || word[1] == 'P') &&
         (word[2] == 'u' || word[2] == 'U');
}

}  // namespace

double Line::seconds() const {
  if (decimals == 0) return 0;
  return static_cast<double>(ticks) / kPowersOfTen[decimals];
}

std::string_view event_name(const Line& line) {
  const std::string_view word =
      line.event.substr(0, line.event.find_first_of(" \t"));
  const std::size_t first = word.find(':');
  if (first == std::string_view::npos) return {};
  const std::size_t second = word.find(':', first + 1);
  if (second != std::string_view::npos) {
    return word.substr(first + 1, second - first - 1);
  }
  return first + 1 == word.size() ? word.substr(0, first) : std::string_view();
}

std::string_view event_fields(const Line& line) {
  const std::string_view name = event_name(line);
  if (name.empty()) return {};
  // The name is a part of the event, and a colon follows it.
  const auto end =
      static_cast<std::size_t>(name.data() - line.event.data()) + name.size();
  return line.event.substr(end + 1);
}

std::optional<std::uint32_t> pid_of_task(std::string_view task) {
  task = without_group(task);
  const std::size_t at = digits_at_end(task);
  const std::size_t digits = task.size() - at;
  if (digits == 0 || digits > kMaxPidDigits || at == 0) return std::nullopt;
  const char before = task[at - 1];
  if (before != '-' && before != '/' && !is_blank(before)) return std::nullopt;
  std::uint32_t pid = 0;
  for (const char c : task.substr(at)) {
    pid = pid * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return pid;
}

std::optional<std::uint16_t> vcpu_of_task(std::string_view task) {
  const std::string_view name = thread_name(task);
  for (std::size_t i = 0; i + 3 < name.size(); ++i) {
    if (!is_cpu_word(name.substr(i))) continue;
    std::string_view rest = name.substr(i + 3);
    if (rest[0] == ' ' || rest[0] == '-' || rest[0] == '_') {
      rest.remove_prefix(1);
    }
    std::uint64_t number = 0;
    TextReader reader(rest);
    reader.decimal(number);
    const bool whole = reader.left() == 0 || *reader.at() == '/';
    if (reader.mismatch() || !whole || number > UINT16_MAX) continue;
    return static_cast<std::uint16_t>(number);
  }
  return std::nullopt;
}

std::uint64_t overwritten_events(std::string_view comment) {
  constexpr std::string_view kLabel = "entries-in-buffer/entries-written: ";
  const std::size_t label = comment.find(kLabel);
  if (label == std::string_view::npos) return 0;
  const char* at = comment.data() + label + kLabel.size();
  const char* const end = comment.data() + comment.size();
  std::uint64_t kept = 0;
  std::uint64_t written = 0;
  if (read_digits(at, end, kept) == 0 || at == end || *at++ != '/') return 0;
  if (read_digits(at, end, written) == 0 || written < kept) return 0;
  return written - kept;
}

}  // namespace mmu::trace
