// The last entries of a group of walks, judged together without a branch an
// entry, so that a compiler makes vectors of it.
//
// The same for 512, 256 and 128-bit vectors: one body, compiled for each and
// chosen when the process starts. Law: what it accepts is what
// PlainWalks::finish() accepts for each entry by itself, with the same columns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mmu {

// Leaves in flight at once; a core keeps about as many misses.
inline constexpr std::size_t kLeafGroup = 32;

// What a leaf of 4K must be for the walk to be one of the plain ones.
struct LeafDemands {
  std::uint64_t needs = 0;     // bits that are set
  std::uint64_t reserved = 0;  // bits that are clear
  // A bit for each combination of kGrants* bits that refuses the access.
  std::uint64_t forbidden = 0;
};

struct LeafGroup {
  const std::uint64_t* gva = nullptr;
  // Where each lies, asked for some time before it is looked at.
  std::array<const std::byte*, kLeafGroup> at;
  // kGrants* bits of the entries above; other bits are not looked at.
  std::array<std::uint64_t, kLeafGroup> above;
};

// Writes gpa and granted for the whole group. False: some leaf is not as
// demanded, and what was written is to be written again.
using JudgeLeaves = bool (*)(const LeafDemands&, const LeafGroup&, double* gpa,
                             std::uint8_t* granted);

// The widest that this processor has.
JudgeLeaves leaf_judge() noexcept;
// By width of vectors in bits, for tests; null where the processor has none.
JudgeLeaves leaf_judge(unsigned width) noexcept;

}  // namespace mmu
