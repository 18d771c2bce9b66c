// One line of recorded text, taken apart as far as the event's name.
//
//        CPU 0/KVM-4145    [002] .....    86.581928: kvm_page_fault: vcpu 0 ...
//        task     -pid     cpu   flags    timestamp  event           fields
//
// That is the layout of tracefs; the others are in layouts/. The flags column
// has 0, 4 or 5 characters, by kernel version and trace options. A task name
// may hold anything, blanks and dashes and brackets too, so the fixed points
// are the cpu in brackets and the timestamp after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mmu::trace {

struct Line {
  // With pid and padding, as recorded; empty where the layout names no thread.
  std::string_view task{};
  std::uint64_t ticks = 0;  // the timestamp without its point
  unsigned decimals = 0;    // how many of its digits follow the point
  // From the event's name to the end of its fields.
  std::string_view event{};

  // Zero for a clock that counts something else than seconds ("counter",
  // "x86-tsc"): it has no point.
  double seconds() const;
};

// False if the text is an event in none of the layouts of layout.hpp. Only
// then is `line` what it was.
bool parse_line(std::string_view text, Line& line);

// The event's name, without its system, such as perf's "kvm:", in front; empty
// if the text after the timestamp does not begin with a name and a colon.
std::string_view event_name(const Line& line);

// What follows the colon behind the event's name; empty if it has none.
std::string_view event_fields(const Line& line);

// The number of the thread: the digits at the end of "CPU 0/KVM-4145",
// "tdxvm-13694-13714 (  13600)", "CPU 0/KVM  4145" and "CPU 0/KVM/4145".
std::optional<std::uint32_t> pid_of_task(std::string_view task);

// The vCPU that a thread's name gives away: "CPU 3/KVM" (QEMU), "vcpu-3",
// "fc_vcpu 3", ... Only 'task' is looked at.
std::optional<std::uint16_t> vcpu_of_task(std::string_view task);

// Events that this line says the recorder dropped: "CPU:3 [LOST 29 EVENTS]"
// and its relatives; 1 if it does not say how many; nothing if it is no such
// line.
std::optional<std::uint64_t> lost_events(std::string_view text);

// Events that were overwritten before the buffer was read, from the header
// comment "entries-in-buffer/entries-written: 205/2647"; 0 for other comments.
std::uint64_t overwritten_events(std::string_view comment);

}  // namespace mmu::trace
