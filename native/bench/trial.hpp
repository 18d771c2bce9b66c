// A trial: work that the engine does, and beside it the least that anybody
// could do for the same, timed in turns.
//
// One family of trials a file, which enlists itself; nothing else is edited.
// A trial knows the engine from outside. It throws where it cannot be: nobody
// but `gpalias bench` and the tests runs one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/thread_clock.hpp"

namespace mmu::bench {

// Both sides, made ready. Each call does all events once and returns the
// seconds of this thread's processor time that they took; what has to be
// cleared before is not in them.
class Sides {
 public:
  Sides() = default;
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;
  virtual ~Sides() = default;

  // That both sides do in one call.
  virtual std::uint64_t events() const = 0;
  virtual double engine() = 0;
  virtual double floor() = 0;
  // Whether the engine has done what it was timed for. After engine().
  virtual bool holds() const = 0;
};

struct Trial {
  // Lower-case words and a size, joined by "-".
  std::string name;
  // A noun phrase each: what the engine does, what the floor is.
  std::string_view what;
  std::string_view beside;
  // What is counted, in the singular.
  std::string_view unit;
  // Most that the engine's time may be, over the floor's; 0: not said.
  double target = 0;
  // Memory while it runs, about.
  std::uint64_t bytes = 0;
  // Of the processor.
  bool needs_avx512 = false;
  std::function<std::unique_ptr<Sides>()> prepare;
};

// One object of this type in the family's own file adds its trials.
class Enlisted {
 public:
  using Add = void (*)(std::vector<Trial>& trials);
  explicit Enlisted(Add add);

 private:
  friend std::vector<Trial> trials();

  Add add_;
  const Enlisted* next_;
};

// All, by name.
std::vector<Trial> trials();

inline bool has_avx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

// What was set up is there.
template <class Condition>
void expect(const Condition& is_so, const char* what) {
  if (!is_so) throw std::runtime_error(std::string(what) + " failed");
}

// Keeps a result from being left out because nobody reads it.
inline void keep(const void* result) {
  asm volatile("" : : "r"(result) : "memory");
}

}  // namespace mmu::bench
