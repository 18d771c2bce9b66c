// Lists of how often a line occurred, as `sort | uniq -c` makes them: neither
// time nor task is left, so the events are counted by name and not replayed.
//
//   711132 fast_page_fault: vcpu 7 gva 20fe612 error_code F ...
#include <algorithm>
#include <array>

#include "trace/layout.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// KVM's event; a sum of anything else is no reason to take text for a trace.
bool is_kvm_event(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOthers{
      "fast_page_fault", "mark_mmio_spte", "handle_mmio_page_fault",
      "check_mmio_spte"};
  return name.starts_with("kvm_") ||
         std::ranges::find(kOthers, name) != kOthers.end();
}

std::string_view counted_event(std::string_view text) {
  TextReader reader(trim(text));
  std::uint64_t count = 0;
  reader.decimal(count);
  if (reader.mismatch() || reader.left() == 0 || !is_blank(*reader.at())) {
    return {};
  }
  reader.skip_blanks();
  const std::string_view rest(reader.at(), reader.left());
  const std::string_view name = rest.substr(0, rest.find_first_of(" \t"));
  if (name.size() < 2 || name.find(':') != name.size() - 1) return {};
  return name.substr(0, name.size() - 1);
}

std::string noise(std::string_view text) {
  const std::string_view name = counted_event(text);
  return name.empty() ? std::string() : "unrecognised " + std::string(name);
}

bool claims(std::string_view text) { return is_kvm_event(counted_event(text)); }

const LayoutEntry entry({
    .name = "counted",
    .rank = 5,
    .noise = noise,
    .claims = claims,
});

}  // namespace
}  // namespace mmu::trace
