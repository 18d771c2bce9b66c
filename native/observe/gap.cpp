#include "observe/gap.hpp"

#include "observe/event.hpp"
#include "trace/ftrace_line.hpp"

namespace mmu::observe {
namespace {

constexpr std::string_view kPersonal = "###";

// "gfn 9..1fe level 1" anywhere in it: a run of lines, each like the one
// before.
void read_run(std::string_view text, Words& words) {
  const std::size_t at = text.find(" gfn ");
  if (at == std::string_view::npos) return;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t level = 0;
  trace::TextReader reader(text.substr(at));
  reader.literal(" gfn ").hex(first).literal("..").hex(last);
  reader.literal(" level ").decimal(level);
  if (reader.mismatch()) return;
  words.set(0, first);
  words.set(1, last);
  words.set(2, level);
}

bool is_rule(std::string_view text, char of) {
  return text.size() >= 2 && text.find_first_not_of(of) == text.npos;
}

// These are counted and no more: they have no place in a list of events to
// trace.
const EventEntry lost({.name = kLost, .fields = {"events"}});
const EventEntry omitted({.name = kOmitted,
                          .fields = {"first_gfn", "last_gfn", "level"}});

}  // namespace

std::string_view gap_of(std::string_view line, Words& words) {
  if (line.starts_with(kPersonal)) {
    // A run is left out only where it says so; "goes on" says that it ends.
    if (line.find("omitted") != line.npos) read_run(line, words);
    return kOmitted;
  }
  if (is_rule(line, '.') || is_rule(line, '-')) return kOmitted;
  const std::uint64_t events = line.starts_with('#')
                                   ? trace::overwritten_events(line)
                                   : trace::lost_events(line).value_or(0);
  if (events == 0) return {};
  words.set(0, events);
  return kLost;
}

}  // namespace mmu::observe
