// The registry of trace formats: what is linked in is what exists.
//
// It knows no format by name.
#include <algorithm>
#include <cstdlib>

#include "trace/format.hpp"
#include "trace/vendor.hpp"

namespace mmu::trace {
namespace {

// Constant-initialised, so it is there before any entry's constructor runs,
// whatever order the linker gives the files.
constinit const FormatEntry* first_entry = nullptr;

template <class Predicate>
const Format* find(Predicate matches) noexcept {
  for (const FormatEntry* entry = first_entry; entry; entry = entry->next) {
    if (matches(entry->format)) return &entry->format;
  }
  return nullptr;
}

}  // namespace

FormatEntry::FormatEntry(const Format& f) noexcept
    : format(f), next(first_entry) {
  first_entry = this;
}

const FormatEntry* first_format() noexcept { return first_entry; }

std::vector<FormatView> formats() {
  std::vector<FormatView> views;
  for (const FormatEntry* entry = first_entry; entry; entry = entry->next) {
    views.push_back({entry->format.name, entry->format.summary});
  }
  // Link order is not an order that anybody should see.
  std::ranges::sort(views, {}, &FormatView::name);
  return views;
}

std::string_view detect_format(std::span<const std::uint8_t> head) noexcept {
  const Format* format = find([&](const Format& f) { return f.claims(head); });
  return format ? format->name : std::string_view{};
}

std::vector<FormatView> vendor_views() {
  std::vector<FormatView> views;
  for (const Vendor& vendor : vendors()) {
    views.push_back({vendor.name, vendor.summary});
  }
  return views;
}

std::unique_ptr<Decoder> make_decoder(std::string_view name,
                                      const DecodeOptions& options) {
  const Format* format = find([&](const Format& f) { return f.name == name; });
  const bool known = options.vendor == "auto" || find_vendor(options.vendor);
  if (!format || !known) return nullptr;
  DecodeOptions chosen = options;
  const char* const path = std::getenv("GPALIAS_TRACE_PATH");
  if (chosen.path.empty() && path != nullptr) chosen.path = path;
  return format->make(chosen);
}

}  // namespace mmu::trace
