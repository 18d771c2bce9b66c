// Lives the operations of a world in a machine.
#pragma once

#include <memory>
#include <span>

#include "check/world.hpp"

namespace mmu::check {

using Path = std::span<const std::uint8_t>;

// The error is the machine's, or kOutOfMemory.
std::optional<Error> apply(Machine& machine, const Operation& operation);

// A machine to which the operations of a path have happened.
Result<std::unique_ptr<Machine>> live(const World& world, Path path);

}  // namespace mmu::check
