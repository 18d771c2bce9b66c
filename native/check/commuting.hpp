// Which operations may be left out of a state, because the same two in the
// other order lead to the same state: partial-order reduction.
//
// An operation of one vCPU is local to a state if it changes nothing there but
// what that vCPU alone has. It read what all share and what its own vCPU has,
// and so does a local operation of another vCPU: in either order the two find
// what they would find alone, fire the same rules, and end in one state. So
// after the first, the second is left out, and is tried the other way round.
//
// Law: what is left out here is tried there. For that the orders are told
// apart by a rank that no image of the two has otherwise: what is left out has
// the lower rank, so a chain of "it is tried elsewhere" has an end.
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <vector>

#include "check/world.hpp"
#include "core/state_views.hpp"

namespace mmu::check {

// What an operation is to others.
struct Footprint {
  // The only vCPU that takes part, or kNoVcpu.
  std::uint16_t vcpu = kNoVcpu;
  // Equal for two operations of which one may be the other's image.
  std::uint16_t rank = 0;

  static constexpr std::uint16_t kNoVcpu = 0xffff;
};

std::vector<Footprint> footprints_of(const std::vector<Operation>& operations);

// What a state's operations turned out to be there.
struct Locals {
  std::bitset<kMostOperations + 1> idle;   // changed nothing
  std::bitset<kMostOperations + 1> local;  // changed its own vCPU, or nothing
};

class Commuting {
 public:
  explicit Commuting(const std::vector<Operation>& operations)
      : footprints_(footprints_of(operations)) {}

  // States are looked at in order, and so are their parents.
  void begin(std::uint32_t state, std::uint32_t parent);
  void tried(std::uint8_t operation, const StateParts& before,
             const StateParts& after);

  // In the state to which `via` led from `parent`.
  bool spares(std::uint32_t parent, std::uint8_t via,
              std::uint8_t operation) const noexcept;

 private:
  std::vector<Footprint> footprints_;
  // Of the states from first_ on: those whose children are still to come.
  std::deque<Locals> locals_;
  std::uint32_t first_ = 0;
};

}  // namespace mmu::check
