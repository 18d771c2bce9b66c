// Memory that runs out when a test says so: every operator new of this binary
// goes through a counter, and the k-th from now on fails.
//
// The arena of the tables is not memory of this kind; page_pool's limit is what
// makes it run out.
#pragma once

#include <cstdint>

namespace failing_memory {

// Allocations that are out now.
std::uint64_t live();
// Bytes that this thread has ever asked for.
std::uint64_t asked();

// While it lives, the k-th allocation of this thread fails, k from 1, and no
// other.
class FailsAt {
 public:
  explicit FailsAt(std::uint64_t k);
  ~FailsAt();
  FailsAt(const FailsAt&) = delete;
  FailsAt& operator=(const FailsAt&) = delete;

  // Whether it came to that.
  bool failed() const;
};

}  // namespace failing_memory
