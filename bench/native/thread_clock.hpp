// Processor time of this thread, so that a busy machine's other work is not
// counted as ours. Its caches and memory are still shared: compare ratios.
#pragma once

#include <benchmark/benchmark.h>
#include <time.h>

namespace bench {

inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// One iteration of a benchmark that uses manual time.
template <class Body>
void timed(benchmark::State& state, Body body) {
  const double start = thread_seconds();
  body();
  state.SetIterationTime(thread_seconds() - start);
}

}  // namespace bench
