// How a tracepoint makes itself known: one file a family, no list.
//
// A family's .cpp ends with EventEntries at namespace scope, which link
// themselves in before main() runs, as trace formats do.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "observe/fields.hpp"

namespace mmu::observe {

using FieldNames = std::array<std::string_view, kMostWords>;

struct Event {
  // As lines have it in front of the colon, without a subsystem.
  std::string_view name;
  // Of its words; no name, no word. Where the first is "vcpu" and a kernel
  // does not print it, the name of the thread may tell.
  FieldNames fields;
  void (*read)(Fields&) = nullptr;
};

class EventEntry {
 public:
  explicit EventEntry(const Event& event) noexcept;
  EventEntry(const EventEntry&) = delete;
  EventEntry& operator=(const EventEntry&) = delete;

  const Event event;
  const EventEntry* const next;
};

// All events, by name; the place in it is the event's number.
const std::vector<Event>& events();

// The number of the event with that name; -1 if there is none.
int event_number(std::string_view name);

}  // namespace mmu::observe
