#include "observe/observer.hpp"

#include <cstring>

#include "observe/event.hpp"
#include "observe/gap.hpp"
#include "trace/ftrace_line.hpp"
#include "trace/skip_counts.hpp"

namespace mmu::observe {
namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;
constexpr std::string_view kUnrecognised = "unrecognised";
constexpr std::string_view kVcpu = "vcpu";

bool is_blank_line(std::string_view text) {
  return text.find_first_not_of(" \t") == text.npos;
}

}  // namespace

struct Observer::RawLine {
  std::string_view text;   // without its end
  std::size_t bytes = 0;   // with it
  bool terminated = true;  // false if the text stops before its end
};

Columns columns_in(std::byte* block, std::size_t capacity) {
  Columns made;
  made.capacity = capacity;
  made.words = reinterpret_cast<std::uint64_t*>(block);
  made.line = reinterpret_cast<double*>(made.words + kMostWords * capacity);
  made.time = made.line + capacity;
  made.thread = reinterpret_cast<std::uint32_t*>(made.time + capacity);
  made.event = reinterpret_cast<std::uint8_t*>(made.thread + capacity);
  made.given = made.event + capacity;
  return made;
}

std::size_t Observer::observe(std::span<const std::uint8_t> chunk, bool last,
                              Columns& out) {
  const auto* const begin = reinterpret_cast<const char*>(chunk.data());
  std::size_t consumed = 0;
  while (consumed < chunk.size() && out.count < out.capacity) {
    const char* const at = begin + consumed;
    const std::size_t left = chunk.size() - consumed;
    const auto* newline = static_cast<const char*>(std::memchr(at, '\n', left));
    const std::size_t length =
        newline ? static_cast<std::size_t>(newline - at) : left;
    const bool too_long = overlong_ || length > kMaxLineBytes;
    if (!newline && !last && !too_long) break;
    const RawLine line{
        {at, length}, length + (newline ? 1 : 0), newline != nullptr};
    if (!overlong_) ++totals_.lines;
    if (!too_long) take(line, out);
    if (too_long && !overlong_) skip(kUnrecognised);
    overlong_ = too_long && !newline;
    totals_.bytes += line.bytes;
    consumed += line.bytes;
  }
  return consumed;
}

void Observer::take(const RawLine& raw, Columns& out) {
  RawLine line = raw;
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  trace::Line parts;
  if (line.text.starts_with('#') || !trace::parse_line(line.text, parts)) {
    return take_other(line, out);
  }
  const std::string_view name = trace::event_name(parts);
  if (name.empty()) {
    const bool is_stack = parts.event.starts_with('<');
    return skip(is_stack ? std::string_view("stack trace") : kUnrecognised);
  }
  std::string_view fields = trace::event_fields(parts);
  while (!fields.empty() && trace::is_blank(fields.front())) {
    fields.remove_prefix(1);
  }
  take_event(name, fields, parts.task, parts.seconds(), line, out);
}

void Observer::take_event(std::string_view name, std::string_view fields,
                          std::string_view task, double time,
                          const RawLine& line, Columns& out) {
  const int number = event_number(name);
  const Event* const event =
      number < 0 ? nullptr : &events()[static_cast<std::size_t>(number)];
  if (!event || !event->read) return skip(name);
  // Half a number is a number, too.
  if (!line.terminated) return malformed(event->name, "the end of the line");
  Words words;
  Fields in(fields, words, texts_);
  event->read(in);
  if (const trace::Mismatch& mismatch = in.finish()) {
    return malformed(event->name, mismatch.describe());
  }
  if (event->fields[0] == kVcpu && !words.has(0)) {
    if (const auto vcpu = trace::vcpu_of_task(task)) words.set(0, *vcpu);
  }
  append(event->name, words, task, time, out);
}

void Observer::take_other(const RawLine& line, Columns& out) {
  std::string_view text = line.text;
  while (!text.empty() && trace::is_blank(text.back())) text.remove_suffix(1);
  Words words;
  const std::string_view gap = gap_of(text, words);
  if (!gap.empty()) return append(gap, words, {}, 0, out);
  if (text.starts_with('#')) return skip("comment");
  if (is_blank_line(text)) return skip("blank");
  text.remove_prefix(text.find_first_not_of(" \t"));
  if (text.starts_with("=>")) return skip("stack trace");
  if (text.starts_with("cpus=") || text.starts_with("version = ") ||
      (text.starts_with("CPU ") && text.ends_with(" is empty"))) {
    return skip("header");
  }
  skip(kUnrecognised);
}

void Observer::append(std::string_view event, const Words& words,
                      std::string_view task, double time, Columns& out) {
  const std::size_t row = out.count++;
  for (unsigned word = 0; word < kMostWords; ++word) {
    out.words[word * out.capacity + row] = words.value[word];
  }
  out.line[row] = static_cast<double>(totals_.lines);
  out.time[row] = time;
  out.thread[row] = trace::pid_of_task(task).value_or(0);
  out.event[row] = static_cast<std::uint8_t>(event_number(event));
  out.given[row] = words.given;
  ++totals_.events;
}

void Observer::malformed(std::string_view name, std::string expected) {
  auto [at, is_first] = totals_.malformed.try_emplace(std::string(name));
  if (is_first) {
    at->second.first_line = totals_.lines;
    at->second.expected = std::move(expected);
  }
  ++at->second.count;
}

void Observer::skip(std::string_view reason) {
  trace::SkipCounts(totals_.skipped).add(reason);
}

}  // namespace mmu::observe
