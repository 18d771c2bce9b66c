// How wide the vectors are that loops over columns and tables are compiled for,
// chosen when a machine is made: what the processor has, or what
// GPALIAS_REPLAY_PATH says. They differ in speed alone (hit_run_test.cpp,
// leaf_run_test.cpp).
#pragma once

#include <cstdint>
#include <string_view>

namespace mmu {

enum class VectorPath : std::uint8_t { kPortable, kAvx2, kAvx512 };

// A name that is unknown, or of what the processor lacks, changes nothing.
VectorPath chosen_vector_path();
std::string_view name_of(VectorPath path);

// Work compiled for the vectors of a path. It is inlined by force, and so must
// be whatever of it is to have them.
#if defined(__x86_64__)
template <class Work>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi,bmi2")]]
auto on_avx512(Work work) {
  return work();
}
template <class Work>
[[gnu::target("avx2,bmi,bmi2")]]
auto on_avx2(Work work) {
  return work();
}
template <class Work>
[[gnu::always_inline]] inline auto on_path(VectorPath path, Work work) {
  if (path == VectorPath::kAvx512) return on_avx512(work);
  if (path == VectorPath::kAvx2) return on_avx2(work);
  return work();
}
#else
template <class Work>
auto on_path(VectorPath, Work work) {
  return work();
}
#endif

}  // namespace mmu
