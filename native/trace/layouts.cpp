// The registry of text layouts: what is linked in is what exists.
//
// It knows no layout by name.
#include <algorithm>
#include <vector>

#include "trace/layout.hpp"

namespace mmu::trace {
namespace {

// Constant-initialised, so it is there before any entry's constructor runs.
constinit const LayoutEntry* first_entry = nullptr;

// By rank: link order must not decide which layout a line has.
const std::vector<Layout>& layouts() {
  static const std::vector<Layout> sorted = [] {
    std::vector<Layout> all;
    for (auto* entry = first_entry; entry; entry = entry->next) {
      all.push_back(entry->layout);
    }
    std::ranges::sort(all, {}, &Layout::rank);
    return all;
  }();
  return sorted;
}

}  // namespace

LayoutEntry::LayoutEntry(const Layout& l) noexcept
    : layout(l), next(first_entry) {
  first_entry = this;
}

bool parse_line(std::string_view text, Line& line) {
  return std::ranges::any_of(layouts(), [&](const Layout& layout) {
    return layout.split != nullptr && layout.split(text, line);
  });
}

std::optional<std::uint64_t> lost_events(std::string_view text) {
  for (const Layout& layout : layouts()) {
    if (layout.lost == nullptr) continue;
    if (const auto number = layout.lost(text)) return number;
  }
  return std::nullopt;
}

std::string noise_in(std::string_view text) {
  for (const Layout& layout : layouts()) {
    if (layout.noise == nullptr) continue;
    std::string reason = layout.noise(text);
    if (!reason.empty()) return reason;
  }
  return {};
}

bool claims_line(std::string_view text) {
  Line line;
  return parse_line(text, line) ||
         std::ranges::any_of(layouts(), [&](const Layout& layout) {
           return layout.claims != nullptr && layout.claims(text);
         });
}

}  // namespace mmu::trace
