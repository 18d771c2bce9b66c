// A machine of one slot, and batches of writes by vCPU 0 for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bench/trial.hpp"
#include "core/machine.hpp"

namespace mmu::bench {

// Rows of a batch, as callers have them.
inline constexpr std::size_t kBatch = 65536;

inline std::unique_ptr<Machine> machine_of(std::uint64_t span_bytes,
                                           bool is_logged = false) {
  auto made = make_machine({});
  expect(made, "making a machine");
  std::unique_ptr<Machine> machine = std::move(made.value());
  const auto slot =
      machine->set_memslot({.slot = 0,
                            .flags = is_logged ? MemslotRegion::kLogDirty : 0u,
                            .gpa = 0,
                            .bytes = span_bytes,
                            .hva = bit(40)});
  expect(slot, "setting a memslot");
  return machine;
}

class Writes {
 public:
  void run(Machine& machine, std::span<const double> gpa) {
    for (std::size_t at = 0; at < gpa.size(); at += kBatch) {
      const std::size_t count = std::min(kBatch, gpa.size() - at);
      RunControl control;
      const RunResult result =
          machine.run({gpa.data() + at, zeros_.data(), zeros_.data(),
                       vcpu_.data(), kind_.data(), access_.data(), count},
                      {sptes_.data(), flushed_.data(), outcome_.data(),
                       level_.data(), tables_.data(), flush_.data()},
                      control);
      expect(!result.failed, "a batch of writes");
    }
  }
  // Whether all rows of the last batch, a whole one, came to this.
  bool all(OutcomeCode code) const {
    return std::ranges::count(outcome_, static_cast<std::uint8_t>(code)) ==
           static_cast<std::ptrdiff_t>(kBatch);
  }

 private:
  std::vector<double> zeros_ = std::vector<double>(kBatch);
  std::vector<std::uint16_t> vcpu_ = std::vector<std::uint16_t>(kBatch);
  std::vector<std::uint8_t> kind_ = std::vector<std::uint8_t>(kBatch);
  std::vector<std::uint8_t> access_ =
      std::vector<std::uint8_t>(kBatch, kAccessWrite);
  std::vector<std::uint32_t> sptes_ = std::vector<std::uint32_t>(kBatch);
  std::vector<std::uint32_t> flushed_ = std::vector<std::uint32_t>(kBatch);
  std::vector<std::uint8_t> outcome_ = std::vector<std::uint8_t>(kBatch);
  std::vector<std::uint8_t> level_ = std::vector<std::uint8_t>(kBatch);
  std::vector<std::uint8_t> tables_ = std::vector<std::uint8_t>(kBatch);
  std::vector<std::uint8_t> flush_ = std::vector<std::uint8_t>(kBatch);
};

}  // namespace mmu::bench
