// What `trace-cmd report` writes around events, which themselves look as in
// tracefs; and the marks that people leave where they cut a report.
#include "trace/layout.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// "CPU:3 [29 EVENTS DROPPED]"
std::optional<std::uint64_t> lost(std::string_view text) {
  TextReader reader(trim(text));
  std::uint64_t number = 1;
  if (reader.take("CPU:")) {
    std::uint64_t cpu = 0;
    reader.decimal(cpu);
    reader.skip_blanks();
  }
  reader.take('[');
  if (!reader.take("EVENTS DROPPED")) {
    reader.decimal(number).literal(" EVENTS DROPPED");
  }
  reader.take(']');
  if (reader.finish().mismatch()) return std::nullopt;
  return number;
}

// "--" of grep -A, "...", "....": something was here.
bool is_cut_mark(std::string_view text) {
  return text.size() >= 2 &&
         (text.find_first_not_of('.') == std::string_view::npos ||
          text.find_first_not_of('-') == std::string_view::npos);
}

std::string noise(std::string_view text) {
  text = trim(text);
  if (text.starts_with("cpus=") || text.starts_with("version = ") ||
      (text.starts_with("CPU ") && text.ends_with(" is empty"))) {
    return "header";
  }
  return is_cut_mark(text) ? "mark of a cut" : std::string();
}

const LayoutEntry entry({
    .name = "trace-cmd",
    .rank = 1,
    .lost = lost,
    .noise = noise,
});

}  // namespace
}  // namespace mmu::trace
