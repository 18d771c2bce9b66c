// One decoded row and its way into the columns, the same for every format.
#pragma once

#include <cstdint>

#include "core/event.hpp"
#include "trace/decoder.hpp"

namespace mmu::trace {

struct Row {
  std::uint64_t gpa = 0;         // below 2^52, so exact as a double
  std::uint64_t bytes = 0;       // at most 2^52; 0 where there is no range
  std::uint64_t error_code = 0;  // as recorded, below 2^53
  std::uint64_t rip = 0;         // 0 where the format has none
  double time = 0;               // seconds
  std::uint16_t vcpu = 0;
  EventKind kind = EventKind::kAccess;
  std::uint8_t access = 0;  // of markers mostly 0
};

inline bool full(const EventSink& sink) { return sink.count >= sink.capacity; }

// The sink must not be full.
inline void append(EventSink& sink, const Row& row) {
  const std::size_t i = sink.count++;
  sink.gpa[i] = static_cast<double>(row.gpa);
  sink.bytes[i] = static_cast<double>(row.bytes);
  sink.error_code[i] = static_cast<double>(row.error_code);
  sink.vcpu[i] = row.vcpu;
  sink.kind[i] = static_cast<std::uint8_t>(row.kind);
  sink.access[i] = row.access;
  if (sink.time == nullptr) return;
  sink.time[i] = row.time;
  sink.rip_low[i] = static_cast<std::uint32_t>(row.rip);
  sink.rip_high[i] = static_cast<std::uint32_t>(row.rip >> 32);
}

}  // namespace mmu::trace
