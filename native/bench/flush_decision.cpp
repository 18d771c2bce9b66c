// Taking W from the leaves of tables, and with it what has to be flushed,
// beside a loop without a branch that takes W from each entry, and says of old
// and new whether to flush.
#include <algorithm>
#include <random>
#include <span>
#include <vector>

#include "bench/huge_arena.hpp"
#include "bench/trial.hpp"
#include "core/leaf_run.hpp"

namespace mmu::bench {
namespace {

constexpr std::size_t kTables = 2048;
constexpr std::size_t kWords = kTables * kEntries;

// Entries that are not there, leaves with W and without, in no order.
std::vector<std::uint64_t> random_entries() {
  std::mt19937_64 random(42);
  std::vector<std::uint64_t> words(kWords);
  for (std::uint64_t& word : words) {
    const std::uint64_t choice = random();
    const Spte leaf = make_leaf({choice >> 40}, Level::k4K, choice % 4 >= 2);
    word = choice % 4 == 0 ? 0 : to_stored(leaf);
  }
  return words;
}

class FlushDecision final : public Sides {
 public:
  std::uint64_t events() const override { return kWords; }
  double engine() override {
    std::ranges::copy(before_, now_.begin());
    return seconds_of([&] {
      taken_ = 0;
      for (std::size_t table = 0; table < kTables; ++table) {
        const LeafRun run =
            change_leaves(now_.data() + table * kEntries, 0, kEntries,
                          TakeBits(ept::kWrite, 0), path_);
        taken_ += run.changed;
      }
      keep(now_.data());
    });
  }
  double floor() override {
    std::ranges::copy(before_, now_.begin());
    return seconds_of([&] {
      std::uint64_t flushes = 0;
      for (std::uint64_t& word : now_) {
        const std::uint64_t old = word;
        word = old & ~ept::kWrite;
        flushes += needs_flush(old, word);
      }
      flushes_ = flushes;
      keep(&flushes_);
    });
  }
  bool holds() const override { return taken_ == flushes_ && taken_ != 0; }

 private:
  static bool needs_flush(std::uint64_t old, std::uint64_t now) {
    constexpr std::uint64_t kRights =
        ept::kPermissions | ept::kAccessed | ept::kDirty | ept::kMmuPresent;
    const std::uint64_t lost = old & ~now & kRights;
    const std::uint64_t moved = (old ^ now) & ept::kAddress;
    return ((lost | moved) != 0) & ((old & ept::kMmuPresent) != 0);
  }

  std::vector<std::uint64_t> before_ = random_entries();
  // Each table on lines of its own, as tables are.
  HugeArena arena_{kWords * sizeof(std::uint64_t)};
  const std::span<std::uint64_t> now_{
      reinterpret_cast<std::uint64_t*>(arena_.base()), kWords};
  const VectorPath path_ = chosen_vector_path();
  std::uint64_t taken_ = 0;
  std::uint64_t flushes_ = 0;
};

void add(std::vector<Trial>& trials) {
  trials.push_back(
      {.name = "flush-decision",
       .what = "taking W and deciding what to flush",
       .beside = "a mask loop that does so entry by entry",
       .unit = "entry",
       .target = 1.3,
       .bytes = kWords * 24,
       .prepare = [] { return std::make_unique<FlushDecision>(); }});
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
