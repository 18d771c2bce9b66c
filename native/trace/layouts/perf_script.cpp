// What `perf script` writes around events, which themselves look as in
// tracefs: call chains, and records of lost events.
//
//   CPU 0/KVM  4145 [002]  86.581928:   kvm:kvm_page_fault: vcpu 0 rip ...
//       ffffffffa0b1c2d3 kvm_mmu_page_fault+0x1c3 ([kvm])
//   CPU 0/KVM  4145 [002]  86.581990: PERF_RECORD_LOST lost 29
#include "trace/layout.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

constexpr std::size_t kMinAddressDigits = 8;

// "29" between what comes before it and what must come behind it.
template <std::size_t N>
std::optional<std::uint64_t> number_behind(std::string_view text,
                                           const char (&label)[N],
                                           std::string_view end) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  TextReader reader(text.substr(at + N - 1));
  std::uint64_t number = 0;
  reader.decimal(number);
  if (reader.mismatch()) return std::nullopt;
  const std::string_view rest(reader.at(), reader.left());
  return rest.starts_with(end) ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> lost(std::string_view text) {
  text = trim(text);
  if (text.starts_with("LOST ")) {  // perf trace
    return number_behind(text, "LOST ", " events!");
  }
  if (const auto number = number_behind(text, "PERF_RECORD_LOST lost ", "")) {
    return number;
  }
  return number_behind(text, "PERF_RECORD_LOST_SAMPLES lost ", "");
}

// An address and a symbol behind a blank.
std::string noise(std::string_view text) {
  if (text.empty() || !is_blank(text.front())) return {};
  text = trim(text);
  std::size_t digits = 0;
  while (digits < text.size() &&
         kHexDigits[static_cast<std::uint8_t>(text[digits])] != kNoDigit) {
    ++digits;
  }
  const bool is_frame = digits >= kMinAddressDigits && digits <= 16 &&
                        digits < text.size() && is_blank(text[digits]);
  return is_frame ? "stack trace" : std::string();
}

const LayoutEntry entry({
    .name = "perf-script",
    .rank = 2,
    .lost = lost,
    .noise = noise,
});

}  // namespace
}  // namespace mmu::trace
