// Is every row of a batch something that the engine may be told?
//
// Checked in one pass before the first row is applied, so that a bad row
// leaves the VM as it was. Meaning is checked here too, because nobody else
// sees every row: TypeScript must not loop over events, and the binding knows
// no events.
#pragma once

#include <optional>

#include "core/mmu.hpp"

namespace mmu {

// The refusal of the first bad row, if there is one.
std::optional<Error> check_events(const EventColumns& events, const Mmu& mmu);

// The same of addresses that come without an event.
std::optional<Error> check_gpas(const double* gpa, std::size_t count,
                                const Mmu& mmu);

}  // namespace mmu
