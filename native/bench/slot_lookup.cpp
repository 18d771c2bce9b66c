// Finding the memslot of a random frame, beside a binary search without a
// branch over the slots' first frames alone.
//
// Slots and addresses are those of bench/rust-vmm, which times vm-memory's
// find_region() and get_host_address().
#include <vector>

#include "bench/trial.hpp"
#include "core/memslot.hpp"

namespace mmu::bench {
namespace {

constexpr std::uint64_t kSlotBytes = std::uint64_t{16} << 20;
// Each slot, and the hole behind it.
constexpr std::uint64_t kStride = 2 * kSlotBytes;
constexpr std::size_t kLookups = 1 << 16;

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

class SlotLookup final : public Sides {
 public:
  explicit SlotLookup(std::uint64_t count) : set_(0, 1, 19) {
    set_.reserve(count, static_cast<std::uint32_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      auto slot = std::make_unique<Memslot>();
      slot->id = static_cast<std::uint32_t>(i);
      slot->range = {frame(i * kStride), frame(i * kStride + kSlotBytes)};
      starts_.push_back(slot->range.start.value);
      set_.insert(std::move(slot));
    }
    std::uint64_t state = 42;
    for (std::size_t i = 0; i < kLookups; ++i) {
      const std::uint64_t random = splitmix64(state);
      const std::uint64_t gpa =
          (random >> 32) % count * kStride + random % kSlotBytes;
      frames_.push_back(frame(gpa));
    }
  }

  std::uint64_t events() const override { return kLookups; }
  double engine() override {
    return seconds_of([&] {
      std::uint64_t sum = 0;
      for (const Gfn gfn : frames_) sum += set_.find(gfn)->id;
      found_ = sum;
      keep(&found_);
    });
  }
  double floor() override {
    return seconds_of([&] {
      std::uint64_t sum = 0;
      for (const Gfn gfn : frames_) sum += search(gfn);
      searched_ = sum;
      keep(&searched_);
    });
  }
  bool holds() const override { return found_ == searched_ && found_ != kNone; }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  static Gfn frame(std::uint64_t gpa) { return {gpa >> kPageShift}; }
  std::uint64_t search(Gfn gfn) const {
    const std::uint64_t* first = starts_.data();
    for (std::size_t left = starts_.size(); left > 1;) {
      const std::size_t half = left / 2;
      first += first[half] <= gfn.value ? half : 0;
      left -= half;
    }
    return static_cast<std::uint64_t>(first - starts_.data());
  }

  MemslotSet set_;
  std::vector<std::uint64_t> starts_;
  std::vector<Gfn> frames_;
  std::uint64_t found_ = kNone;
  std::uint64_t searched_ = kNone;
};

void add(std::vector<Trial>& trials) {
  for (const std::uint64_t count : {1, 8, 64, 512}) {
    trials.push_back(
        {.name = std::string("slot-lookup-").append(std::to_string(count)),
         .what = "memslot of a random frame",
         .beside = "a binary search over first frames",
         .unit = "lookup",
         .bytes = std::uint64_t{2} << 20,
         .prepare = [count] { return std::make_unique<SlotLookup>(count); }});
  }
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
