// `bpftrace -f json`: one object a line. Its program prints the fields of
// kvm_page_fault and, last, nanoseconds since the host started.
//
//   {"type": "printf", "data": "kvm_page_fault: vcpu 0 rip 0x... time 123\n"}
//   {"type": "lost_events", "data": {"events": 29}}
#include "trace/layout.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

constexpr unsigned kNanosecondDecimals = 9;
constexpr std::string_view kTimeLabel = " time ";

// Reads `{"type": "printf", "data": ` up to the value; its type, or nothing.
std::string_view type_of(std::string_view text, std::string_view& value) {
  TextReader reader(trim(text));
  reader.literal("{\"type\":");
  reader.skip_blanks();
  reader.literal("\"");
  const std::string_view rest(reader.at(), reader.left());
  const std::size_t end = rest.find('"');
  if (reader.mismatch() || end == std::string_view::npos) return {};
  TextReader more(rest.substr(end + 1));
  more.skip_blanks();
  more.literal(",");
  more.skip_blanks();
  more.literal("\"data\":");
  more.skip_blanks();
  if (more.mismatch()) return {};
  value = {more.at(), more.left()};
  return rest.substr(0, end);
}

// What a program printed, up to its line end; nothing if the string holds
// more than one line, or anything that JSON has to escape.
std::string_view printed_line(std::string_view value) {
  if (!value.starts_with('"')) return {};
  value.remove_prefix(1);
  const std::size_t end = value.find_first_of("\\\"");
  if (end == std::string_view::npos) return {};
  TextReader reader(value.substr(end));
  reader.take("\\n");
  reader.literal("\"");
  reader.skip_blanks();
  reader.literal("}").finish();
  return reader.mismatch() ? std::string_view() : value.substr(0, end);
}

bool split(std::string_view text, Line& line) {
  if (!text.starts_with('{')) return false;
  std::string_view value;
  if (type_of(text, value) != "printf") return false;
  const std::string_view printed = printed_line(value);
  const std::size_t label = printed.rfind(kTimeLabel);
  if (label == std::string_view::npos) return false;
  const char* at = printed.data() + label + kTimeLabel.size();
  const char* const end = printed.data() + printed.size();
  Line found;
  if (!read_time(at, end, found) || found.decimals != 0 || at != end) {
    return false;
  }
  line = {.task = {},
          .ticks = found.ticks,
          .decimals = kNanosecondDecimals,
          .event = printed.substr(0, label)};
  return true;
}

std::optional<std::uint64_t> lost(std::string_view text) {
  std::string_view value;
  if (!text.starts_with('{') || type_of(text, value) != "lost_events") {
    return std::nullopt;
  }
  TextReader reader(value);
  std::uint64_t number = 0;
  reader.literal("{");
  reader.skip_blanks();
  reader.literal("\"events\":");
  reader.skip_blanks();
  reader.decimal(number);
  reader.skip_blanks();
  reader.literal("}");
  reader.skip_blanks();
  reader.literal("}").finish();
  return reader.mismatch() ? std::nullopt : std::optional(number);
}

// Other objects, such as the number of probes, by type. One that holds a fault
// and does not read as one is damaged, not noise.
std::string noise(std::string_view text) {
  std::string_view value;
  if (!text.starts_with('{') || !trim(text).ends_with('}')) return {};
  if (text.find("kvm_page_fault:") != std::string_view::npos) return {};
  const std::string_view type = type_of(text, value);
  if (type.empty() || type == "lost_events") return {};
  return "bpftrace " + std::string(type);
}

bool claims(std::string_view text) {
  std::string_view value;
  return text.starts_with('{') && !type_of(text, value).empty();
}

const LayoutEntry entry({
    .name = "bpftrace",
    .rank = 4,
    .split = split,
    .lost = lost,
    .noise = noise,
    .claims = claims,
});

}  // namespace
}  // namespace mmu::trace
