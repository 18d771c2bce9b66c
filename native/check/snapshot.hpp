// An exploration as words, so that it can be put aside and taken up again.
//
// The world and the bound are not in it: whoever keeps it knows whose it is.
// What was found is kept as the paths to it, and lived again; which operations
// were local to a state is not kept, and a few more transitions are made.
//
// Whatever the words say is checked before it is believed: they come from a
// file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/state_views.hpp"

namespace mmu::check {

// A state, as the last step of the path to it.
struct Node {
  std::uint32_t parent = 0;
  std::uint8_t operation = 0;
  std::uint8_t depth = 0;
  // Whether something happened on the path that tells the two pages apart.
  bool is_lopsided = false;
};
inline constexpr std::uint32_t kNoParent = ~std::uint32_t{0};

struct Snapshot {
  std::uint32_t next = 0;
  std::uint64_t transitions = 0;
  std::uint64_t spared = 0;
  std::uint8_t covered = 0;
  std::uint8_t end = 0;  // of End
  std::vector<Node> nodes;
  std::vector<Fingerprint> known;
  std::vector<std::vector<std::uint8_t>> found;  // paths
};

std::vector<std::uint64_t> pack(const Snapshot& snapshot);

// What the words of an exploration of so many operations, of which at most so
// many in a row, must keep to. Nothing, or what is wrong with them.
struct SnapshotLimits {
  std::size_t operations = 0;
  unsigned depth = 0;
  std::uint64_t states = 0;
  std::uint8_t ends = 0;
};
std::optional<std::string> unpack(std::span<const std::uint64_t> words,
                                  const SnapshotLimits& limits, Snapshot& into);

}  // namespace mmu::check
