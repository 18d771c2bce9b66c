#include "core/vector_path.hpp"

#include <array>
#include <cstdlib>

namespace mmu {
namespace {

constexpr std::array kPaths{VectorPath::kAvx512, VectorPath::kAvx2,
                            VectorPath::kPortable};

bool is_there(VectorPath path) {
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (path == VectorPath::kAvx2) return has_avx2;
  if (path == VectorPath::kAvx512) {
    return has_avx2 && __builtin_cpu_supports("avx512f") != 0 &&
           __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0;
  }
#endif
  return path == VectorPath::kPortable;
}

}  // namespace

std::string_view name_of(VectorPath path) {
  if (path == VectorPath::kAvx512) return "avx512";
  return path == VectorPath::kAvx2 ? "avx2" : "portable";
}

VectorPath chosen_vector_path() {
  const char* const asked = std::getenv("GPALIAS_REPLAY_PATH");
  VectorPath best = VectorPath::kPortable;
  for (const VectorPath path : kPaths) {
    if (!is_there(path)) continue;
    if (asked != nullptr && name_of(path) == asked) return path;
    if (best == VectorPath::kPortable) best = path;
  }
  return best;
}

}  // namespace mmu
