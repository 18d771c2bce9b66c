// A small world, and what can happen in it: all that an exploration is told.
//
// What an operation means is its author's affair; here it is a few calls of a
// machine, made in a row.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/machine.hpp"

namespace mmu::check {

// The guest writes a memory type range register.
struct MtrrWrite {
  std::uint32_t msr = 0;
  std::uint64_t value = 0;
};

// A refusal is an answer as good as any other: it changes nothing.
using Step = std::variant<Event, MemslotRegion, MtrrWrite>;

// Two pages of a world may be each other's image. What happens to the second
// before anything has happened to the first is then the image of something that
// is looked at anyway.
enum class Symmetry : std::uint8_t { kNone, kFirst, kSecond };

struct Operation {
  std::vector<Step> steps;
  Symmetry symmetry = Symmetry::kNone;
};

struct World {
  // Nothing in it may depend on which table or translation is the oldest:
  // fingerprint.hpp.
  MachineConfig config;
  std::vector<Step> setup;  // none of them is refused
  // At most kMostOperations. What one vCPU may do, every other may too: states
  // in which two have changed places count as one.
  std::vector<Operation> operations;
};

inline constexpr std::size_t kMostOperations = 255;

}  // namespace mmu::check
