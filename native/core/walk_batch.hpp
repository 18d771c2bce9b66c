// Many walks that only look: addresses in, the entry out that each ends with.
#pragma once

#include "core/mmu.hpp"
#include "core/state_views.hpp"

namespace mmu {

// Every address is checked before the first is walked: the refusal of the
// first bad one.
//
// Law: a row is what the last step of list_steps() says
// (test/native/walk_batch_test.cpp).
std::optional<Error> walk_batch(const Mmu& mmu, const WalkColumns& columns);

}  // namespace mmu
