// The registry of tracepoints: what is linked in is what exists.
//
// It knows no event by name.
#include "observe/event.hpp"

#include <algorithm>

namespace mmu::observe {
namespace {

// Constant-initialised, so it is there before any entry's constructor runs.
constinit const EventEntry* first_entry = nullptr;

std::vector<Event> sorted() {
  std::vector<Event> all;
  for (const EventEntry* entry = first_entry; entry; entry = entry->next) {
    all.push_back(entry->event);
  }
  // Link order is not an order that anybody should see.
  std::ranges::sort(all, {}, &Event::name);
  return all;
}

}  // namespace

EventEntry::EventEntry(const Event& e) noexcept : event(e), next(first_entry) {
  first_entry = this;
}

const std::vector<Event>& events() {
  static const std::vector<Event> all = sorted();
  return all;
}

int event_number(std::string_view name) {
  const std::vector<Event>& all = events();
  const auto at = std::ranges::lower_bound(all, name, {}, &Event::name);
  if (at == all.end() || at->name != name) return -1;
  return static_cast<int>(at - all.begin());
}

}  // namespace mmu::observe
