#include "core/guest/leaf_group.hpp"

#include <bit>
#include <cstring>

#include "core/address.hpp"
#include "core/guest/entry_format.hpp"

#if defined(__x86_64__)
#define GPALIAS_VECTORS(features) __attribute__((target(features)))
#endif

namespace mmu {
namespace {

// A number below 2^52 as a double, by its exponent: vectors of 64-bit numbers
// are converted by few processors.
constexpr std::uint64_t kExponent = 0x433ull << 52;

inline double as_double(std::uint64_t below_52_bits) {
  return std::bit_cast<double>(kExponent | below_52_bits) -
         std::bit_cast<double>(kExponent);
}

__attribute__((always_inline)) inline bool judge(const LeafDemands& demands,
                                                 const LeafGroup& group,
                                                 double* gpa,
                                                 std::uint8_t* granted) {
  constexpr std::uint64_t kOffset = kPageSize - 1;
  const LeafDemands wants = demands;
  std::array<std::uint64_t, kLeafGroup> rights;
  std::uint64_t wrong = 0;
  std::uint64_t refused = 0;
  std::array<std::uint64_t, kLeafGroup> leaves;
  for (std::size_t i = 0; i < kLeafGroup; ++i) {
    std::memcpy(&leaves[i], group.at[i], sizeof(leaves[i]));
  }
  for (std::size_t i = 0; i < kLeafGroup; ++i) {
    const std::uint64_t leaf = leaves[i];
    wrong |= (wants.needs & ~leaf) | (leaf & wants.reserved);
    // As Entry64::granted(), of the entry with its NX bit turned round.
    const std::uint64_t own = (~leaf >> 63) | (leaf & 6);
    const std::uint64_t all = group.above[i] & own;
    refused |= wants.forbidden >> all;
    // A clean page grants no W to who reads.
    rights[i] = all & (5 | (leaf >> 5 & 2));
    gpa[i] = as_double((leaf & Entry64::kFrame) | (group.gva[i] & kOffset));
  }
  for (std::size_t i = 0; i < kLeafGroup; ++i) {
    granted[i] = static_cast<std::uint8_t>(rights[i]);
  }
  return wrong == 0 && (refused & 1) == 0;
}
static_assert(Entry64::kDirty == bit(6) && kGrantsWrite == bit(1));

bool judge_128(const LeafDemands& demands, const LeafGroup& group, double* gpa,
               std::uint8_t* granted) {
  return judge(demands, group, gpa, granted);
}

#ifdef GPALIAS_VECTORS
GPALIAS_VECTORS("avx2")
bool judge_256(const LeafDemands& demands, const LeafGroup& group, double* gpa,
               std::uint8_t* granted) {
  return judge(demands, group, gpa, granted);
}

GPALIAS_VECTORS("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
bool judge_512(const LeafDemands& demands, const LeafGroup& group, double* gpa,
               std::uint8_t* granted) {
  return judge(demands, group, gpa, granted);
}
#endif

}  // namespace

JudgeLeaves leaf_judge(unsigned width) noexcept {
#ifdef GPALIAS_VECTORS
  const bool has_512 =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (width == 512) return has_512 ? judge_512 : nullptr;
  if (width == 256) return __builtin_cpu_supports("avx2") ? judge_256 : nullptr;
#endif
  return width == 128 ? judge_128 : nullptr;
}

JudgeLeaves leaf_judge() noexcept {
  for (const unsigned width : {512u, 256u}) {
    if (const JudgeLeaves found = leaf_judge(width)) return found;
  }
  return judge_128;
}

}  // namespace mmu
