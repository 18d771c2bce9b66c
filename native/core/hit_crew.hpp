// A run of hits served by several threads at once, each its own rows.
//
// Why that is what one thread comes to. A hit of HitRun reads tables and writes
// its own row, so while nothing but such hits is served no row sees what
// another did, whichever thread is first. The tables are nobody's to write
// while a window is open: the owner, who alone answers every other row, opens
// it, serves in it like everyone else, and goes on only when all have left.
// Rows are handed out in order, and what counts are the rows up to the first
// that is no such hit: rows behind it, which somebody may have served already,
// are served again after it, and every column that was written is written
// anew. Who helped, and how far, can be told from nothing
// (test/native/hit_crew_test.cpp).
//
// Helpers sleep between windows. The owner waits for those at work alone, for
// as long as they need for the rows in their hands; one that has not woken yet
// finds the window shut. It must not know what runs the owner, nor JavaScript.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/hit_run.hpp"

namespace mmu {

class HitCrew {
 public:
  // Rows that a thread takes at a time: enough that taking them costs nothing
  // beside serving them, few enough that the last ones do not keep the others
  // waiting (bench/parallel.mjs).
  static constexpr std::size_t kRows = 2048;
  // Fewer rows are not worth waking anybody. Where a window had fewer, the next
  // so many chances of one are passed by.
  static constexpr std::size_t kFewest = 4 * kRows;
  static constexpr unsigned kRest = 64;

  // As many as the system lets it have.
  explicit HitCrew(unsigned helpers);
  HitCrew(const HitCrew&) = delete;
  HitCrew& operator=(const HitCrew&) = delete;
  // Waits for its threads, which have nothing to do.
  ~HitCrew();

  std::size_t helpers() const { return threads_.size(); }

  // Decides no outcome.
  bool is_worth_it(std::size_t rows) {
    if (rows < kFewest) return false;
    if (rest_ == 0) return true;
    --rest_;
    return false;
  }

  // As HitRun::serve(), by all; ends early if `stop` is set. One caller at a
  // time.
  std::size_t serve(const HitRun& run, const EventColumns& events,
                    const OutcomeColumns& outcomes, std::size_t row,
                    std::size_t end, const std::atomic<bool>& stop);

 private:
  struct Window {
    const HitRun& run;
    const EventColumns& events;
    const OutcomeColumns& outcomes;
    const std::atomic<bool>& stop;
    const std::size_t end;
    // Where rows that nobody has taken begin.
    std::atomic<std::size_t> next;
    // The first row known to be none of a run.
    std::atomic<std::size_t> served;

    void work();
    void ends_at(std::size_t row);
  };

  // One word, so that to enter and to see that the window is open is one step:
  // how many windows there were, helpers inside, over, open.
  static constexpr std::uint32_t kOpen = 1;
  static constexpr std::uint32_t kOver = 2;
  static constexpr std::uint32_t kInside = 4;
  static constexpr std::uint32_t kInsideMask = 0xff * kInside;
  static constexpr std::uint32_t kWindow = kInsideMask + kInside;
  static constexpr unsigned kMostHelpers = kInsideMask / kInside;

  void help();
  void shut();

  std::atomic<std::uint32_t> gate_{0};
  Window* window_ = nullptr;
  unsigned rest_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace mmu
