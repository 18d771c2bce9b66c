#include "core/hit_crew.hpp"

#include <algorithm>
#include <system_error>

#include "core/machine.hpp"

namespace mmu {

HitCrew::HitCrew(unsigned helpers) {
  const unsigned wanted = std::min(helpers, kMostHelpers);
  threads_.reserve(wanted);
  try {
    while (threads_.size() < wanted) threads_.emplace_back([this] { help(); });
  } catch (const std::system_error&) {
    // Fewer do as well.
  }
}

HitCrew::~HitCrew() {
  gate_.fetch_or(kOver, std::memory_order_release);
  gate_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::size_t HitCrew::serve(const HitRun& run, const EventColumns& events,
                           const OutcomeColumns& outcomes, std::size_t row,
                           std::size_t end, const std::atomic<bool>& stop) {
  Window window{run, events, outcomes, stop, end, {row}, {end}};
  window_ = &window;
  gate_.fetch_add(kWindow | kOpen, std::memory_order_release);
  gate_.notify_all();
  window.work();
  shut();
  const std::size_t served = window.served.load(std::memory_order_relaxed);
  rest_ = served - row < kFewest ? kRest : 0;
  return served;
}

void HitCrew::shut() {
  std::uint32_t gate = gate_.fetch_sub(kOpen, std::memory_order_acquire);
  for (gate -= kOpen; (gate & kInsideMask) != 0;) {
    gate_.wait(gate, std::memory_order_acquire);
    gate = gate_.load(std::memory_order_acquire);
  }
}

void HitCrew::help() {
  std::uint32_t last = 0;
  for (;;) {
    std::uint32_t gate = gate_.load(std::memory_order_acquire);
    if ((gate & kOver) != 0) return;
    if ((gate & kOpen) == 0 || gate / kWindow == last) {
      gate_.wait(gate, std::memory_order_acquire);
      continue;
    }
    if (!gate_.compare_exchange_weak(gate, gate + kInside,
                                     std::memory_order_acquire)) {
      continue;
    }
    last = gate / kWindow;
    window_->work();
    gate = gate_.fetch_sub(kInside, std::memory_order_release) - kInside;
    if ((gate & (kInsideMask | kOpen)) == 0) gate_.notify_all();
  }
}

// Rows are taken in order, and who stops taking them has seen the end or a row
// that is none of a run: so every row before the first such row was taken.
void HitCrew::Window::work() {
  for (;;) {
    const std::size_t row = next.fetch_add(kRows, std::memory_order_relaxed);
    if (row >= served.load(std::memory_order_relaxed)) return;
    const std::size_t until = std::min(row + kRows, end);
    const std::size_t at = stop.load(std::memory_order_relaxed)
                               ? row
                               : run.serve(events, outcomes, row, until);
    if (at != until) return ends_at(at);
  }
}

void HitCrew::Window::ends_at(std::size_t row) {
  std::size_t known = served.load(std::memory_order_relaxed);
  while (row < known &&
         !served.compare_exchange_weak(known, row, std::memory_order_relaxed)) {
  }
}

std::shared_ptr<HitCrew> make_crew(unsigned helpers) {
  return std::make_shared<HitCrew>(helpers);
}

}  // namespace mmu
