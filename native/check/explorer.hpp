// Everything that can happen in a small world, up to a number of operations.
//
// Breadth first: the first path to a violation is one of the shortest. A state
// is known by its fingerprint and followed once. A VM cannot be copied, so the
// next state is had by living the path to it again in a new VM, which a
// transition that changed nothing saves. Of two operations that commute one
// order is tried: commuting.hpp.
//
// What is told of a state is the path to it, and not the state, so memory is
// about 40 bytes a state.
#pragma once

#include <string>

#include "check/commuting.hpp"
#include "check/fingerprint_set.hpp"
#include "check/snapshot.hpp"
#include "check/world.hpp"

namespace mmu::check {

struct Bound {
  unsigned operations = 5;  // at most 255
  std::uint64_t states = 4'000'000;
  bool reduces = true;      // by commuting.hpp
  bool audits_all = false;  // after every transition, not every new state
};

// A rule that fires, in the course of an operation or in the audit of the state
// that it leads to, and the operations that lead there.
struct Found {
  std::string rule;
  std::string defect;  // known defect of the strategy, or empty
  std::string reason;
  std::uint64_t gpa = 0;
  std::vector<std::uint8_t> path;  // indexes of World::operations
};

enum class End : std::uint8_t {
  kNotYet,
  kComplete,
  kTooManyStates,
  kLast = kTooManyStates
};

struct Exploration {
  std::vector<Found> found;  // each rule once, in the order of discovery
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;
  std::uint64_t spared = 0;  // transitions that another order stands for
  // Every sequence of so many operations was tried, or an image of it.
  unsigned covered = 0;
  End end = End::kNotYet;
};

class Explorer {
 public:
  // Errors: of make_machine(), of a setup that is refused, and kOutOfMemory.
  static Result<Explorer> begin(World world, const Bound& bound);

  // Goes on for at least so many transitions, or to the end. kOutOfMemory: what
  // was found so far stands, and it may be called again.
  std::optional<Error> advance(std::uint64_t transitions);

  const Exploration& so_far() const noexcept { return answer_; }

  // What has been looked at, to go on from in another process. May throw
  // std::bad_alloc.
  std::vector<std::uint64_t> save() const;
  // Of an explorer that has just begun, of the same world and bound. kConfig
  // for words that are no such thing, kOutOfMemory; it is as it was then.
  std::optional<Error> restore(std::span<const std::uint64_t> words);

 private:
  Explorer(World world, const Bound& bound)
      : world_(std::move(world)),
        bound_(bound),
        commuting_(world_.operations) {}

  std::optional<Error> find_again(const std::vector<std::uint8_t>& path);
  std::optional<Error> expand(std::uint32_t at);
  bool is_image(std::uint32_t at, std::uint8_t operation) const;
  bool is_spared(std::uint32_t at, std::uint8_t operation) const;
  std::optional<Error> take(Machine& machine,
                            const std::vector<std::uint8_t>& path,
                            std::uint8_t operation);
  void note(const ViolationView& seen, const std::vector<std::uint8_t>& path,
            std::uint8_t operation);
  void audit(const Machine& machine, const std::vector<std::uint8_t>& path,
             std::uint8_t operation);
  bool is_met_first(const StateParts& state, unsigned depth);
  void keep(std::uint32_t parent, std::uint8_t operation);
  std::vector<std::uint8_t> path_to(std::uint32_t at) const;

  World world_;
  Bound bound_;
  Commuting commuting_;
  FingerprintSet known_;
  std::vector<Node> nodes_;
  std::uint32_t next_ = 0;  // the first whose operations were not all tried
  Exploration answer_;
};

}  // namespace mmu::check
