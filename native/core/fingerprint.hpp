// What decides all that a VM will answer, in 128 bits.
//
// Law: two VMs of one configuration with equal fingerprints answer every
// further event alike, but for what only counts: statistics, event numbers,
// what rules have found so far (test/native/fingerprint_test.cpp).
//
// Left out, because it decides nothing there: which pages of the arena tables
// lie in, how often a root was made, the generation of the slots (an MMIO entry
// is current or is not), and the names of vCPUs, of which any two change places
// without anybody's noticing. Left out though it may decide something: which of
// the shadow pages, and of the translations in a full set, is the oldest. A VM
// that runs out of either is told apart too little.
#pragma once

#include "core/mmu.hpp"

namespace mmu {

StateParts state_parts(const Mmu& mmu);

}  // namespace mmu
