// How wide the vectors are that loops over columns are compiled for, chosen
// when a machine is made: what the processor has, or what GPALIAS_REPLAY_PATH
// says. They differ in speed alone (test/native/hit_run_test.cpp).
#pragma once

#include <cstdint>
#include <string_view>

namespace mmu {

enum class VectorPath : std::uint8_t { kPortable, kAvx2, kAvx512 };

// A name that is unknown, or of what the processor lacks, changes nothing.
VectorPath chosen_vector_path();
std::string_view name_of(VectorPath path);

}  // namespace mmu
