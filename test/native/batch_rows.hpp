// Whole batches for tests: events as columns, and what they came to.
#pragma once

#include <vector>

#include "world.hpp"

namespace rows {

using mmu::EventKind;

struct Trace {
  std::vector<double> gpa;
  std::vector<double> bytes;
  std::vector<std::uint16_t> vcpu;
  std::vector<std::uint8_t> kind;
  std::vector<std::uint8_t> access;

  void add(EventKind what, std::uint64_t at, std::uint64_t length,
           std::uint8_t how, std::uint16_t who = 0) {
    gpa.push_back(static_cast<double>(at));
    bytes.push_back(static_cast<double>(length));
    vcpu.push_back(who);
    kind.push_back(static_cast<std::uint8_t>(what));
    access.push_back(how);
  }
  std::size_t rows() const { return gpa.size(); }
  mmu::EventColumns columns(std::size_t from, std::size_t count) const {
    return {
        gpa.data() + from,  bytes.data() + from,  nullptr, vcpu.data() + from,
        kind.data() + from, access.data() + from, count};
  }
};

struct Outcomes {
  // Every column holds `before` until it is written.
  explicit Outcomes(std::size_t rows, std::uint8_t before = 0)
      : sptes(rows, before),
        pages(rows, before),
        code(rows, before),
        level(rows, before),
        tables(rows, before),
        flush(rows, before) {}
  mmu::OutcomeColumns columns(std::size_t from) {
    return {sptes.data() + from, pages.data() + from,  code.data() + from,
            level.data() + from, tables.data() + from, flush.data() + from};
  }
  bool operator==(const Outcomes&) const = default;

  std::vector<std::uint32_t> sptes;
  std::vector<std::uint32_t> pages;
  std::vector<std::uint8_t> code;
  std::vector<std::uint8_t> level;
  std::vector<std::uint8_t> tables;
  std::vector<std::uint8_t> flush;
};

// In batches of so many rows.
inline Outcomes play(mmu::Machine& machine, const Trace& trace,
                     std::size_t batch) {
  const std::size_t rows = trace.gpa.size();
  Outcomes outcomes(rows);
  mmu::RunControl control;
  for (std::size_t at = 0; at < rows; at += batch) {
    const auto events = trace.columns(at, std::min(batch, rows - at));
    REQUIRE_FALSE(machine.run(events, outcomes.columns(at), control).failed);
  }
  return outcomes;
}

}  // namespace rows
