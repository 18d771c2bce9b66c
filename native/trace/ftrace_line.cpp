#include "trace/ftrace_line.hpp"

#include <array>
#include <cstring>

#include "trace/text_reader.hpp"

namespace mmu::trace {
namespace {

constexpr unsigned kMaxDecimals = 9;
constexpr unsigned kMaxTickDigits = 18;  // so that ticks stay below 2^63
// The widest layouts have five flags; one more column appeared every few
// years.
constexpr std::size_t kMaxFlags = 8;

constexpr std::array<double, kMaxDecimals + 1> kPowersOfTen{
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

// Appends digits to `ticks`; returns how many there were.
unsigned read_digits(const char*& at, const char* end, std::uint64_t& ticks) {
  const char* const start = at;
  std::uint64_t sum = ticks;
  while (at != end && is_digit(*at) && at - start < kMaxTickDigits) {
    sum = sum * 10 + static_cast<std::uint64_t>(*at++ - '0');
  }
  ticks = sum;
  return static_cast<unsigned>(at - start);
}

// "86.581928:"; false if the word at `at` is not a timestamp.
bool read_timestamp(const char*& at, const char* end, Line& line) {
  std::uint64_t ticks = 0;
  const unsigned whole = read_digits(at, end, ticks);
  if (whole == 0 || at == end) return false;
  unsigned decimals = 0;
  if (*at == '.') {
    ++at;
    decimals = read_digits(at, end, ticks);
    if (decimals == 0 || decimals > kMaxDecimals) return false;
  }
  if (whole + decimals > kMaxTickDigits || at == end || *at != ':') {
    return false;
  }
  ++at;
  line.ticks = ticks;
  line.decimals = decimals;
  return true;
}

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

const char* find(const char* at, const char* end, char c) {
  const auto length = static_cast<std::size_t>(end - at);
  return static_cast<const char*>(std::memchr(at, c, length));
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

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "CPU 0/KVM-4145 (  4100)" and perf's "CPU 0/KVM  4145" to "CPU 0/KVM".
std::string_view thread_name(std::string_view task) {
  task = trim(task);
  if (task.ends_with(')')) task = trim(task.substr(0, task.rfind('(')));
  std::size_t name = task.size();
  while (name != 0 && is_digit(task[name - 1])) --name;
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

bool parse_line(std::string_view text, Line& line) {
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

std::string_view event_name(const Line& line) {
  std::string_view word = line.event.substr(0, line.event.find_first_of(" \t"));
  constexpr std::string_view kPerfSystem = "kvm:";
  if (word.starts_with(kPerfSystem)) word.remove_prefix(kPerfSystem.size());
  if (!word.ends_with(':')) return {};
  word.remove_suffix(1);
  return word;
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

std::optional<std::uint64_t> lost_events(std::string_view text) {
  TextReader reader(trim(text));
  std::uint64_t number = 1;
  if (reader.take("CPU:")) {
    std::uint64_t cpu = 0;
    reader.decimal(cpu);
    reader.skip_blanks();
  }
  reader.take('[');
  if (reader.take("LOST ")) {  // the kernel
    if (!reader.take("EVENTS")) reader.decimal(number).literal(" EVENTS");
  } else if (!reader.take("EVENTS DROPPED")) {  // trace-cmd
    reader.decimal(number).literal(" EVENTS DROPPED");
  }
  reader.take(']');
  if (reader.finish().mismatch()) return std::nullopt;
  return number;
}

std::uint64_t overwritten_events(std::string_view comment) {
  constexpr std::string_view kLabel = "entries-in-buffer/entries-written: ";
  const std::size_t label = comment.find(kLabel);
  if (label == std::string_view::npos) return 0;
  std::uint64_t kept = 0;
  std::uint64_t written = 0;
  TextReader reader(comment.substr(label + kLabel.size()));
  reader.decimal(kept).literal("/").decimal(written);
  return reader.mismatch() || written < kept ? 0 : written - kept;
}

}  // namespace mmu::trace
