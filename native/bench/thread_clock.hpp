// Processor time of this thread, so that a busy machine's other work is not
// counted as ours. Its caches and memory are still shared: compare ratios.
#pragma once

#include <time.h>

namespace mmu::bench {

inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Body>
double seconds_of(Body body) {
  const double start = thread_seconds();
  body();
  return thread_seconds() - start;
}

}  // namespace mmu::bench
