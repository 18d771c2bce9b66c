// First touches with a dirty bit each, beside a bare insert with the same
// writes: of a guest that is mapped anew after a fast zap (touch), and of one
// whose past says nothing of how dense it is (fill).
//
// Both sides have their memory before the clock starts: the floor because that
// is all it does then, the engine because it has run the same trace before and
// given its tables back.
#include "bench/floor.hpp"
#include "bench/pages.hpp"
#include "bench/writes.hpp"

namespace mmu::bench {
namespace {

// However few tables there are, the floor's lie in 512 MiB that were cleared
// just before, so that no cache has them.
std::uint64_t arena_tables(const Shape& shape) {
  return std::max(shape.most_tables(), std::uint64_t{1} << 17);
}

enum class Past : std::uint8_t { kKnown, kForgotten };

class Touch final : public Sides {
 public:
  Touch(const Shape& shape, Past past)
      : past_(past),
        pages_(shape),
        arena_tables_(arena_tables(shape)),
        machine_(machine_of(pages_.span_bytes, true)),
        dirty_(pages_.span_bytes / kPageSize / 64) {
    writes_.run(*machine_, pages_.touch);
  }

  std::uint64_t events() const override { return pages_.touch.size(); }
  double engine() override {
    zap();
    if (past_ == Past::kForgotten) forget_past();
    expect(machine_->dirty_log(0, false), "taking the dirty log");
    return seconds_of([&] { writes_.run(*machine_, pages_.touch); });
  }
  double floor() override {
    BareTables<std::uint64_t> tables(arena_tables_);
    return seconds_of([&] {
      for (const double gpa : pages_.touch) {
        const auto gfn =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(gpa)) >>
            kPageShift;
        tables.insert(gfn);
        dirty_[gfn / 64] |= bit(gfn % 64);
      }
      keep(dirty_.data());
    });
  }
  bool holds() const override { return writes_.all(OutcomeCode::kFixed); }

 private:
  void zap() {
    expect(machine_->step({.kind = EventKind::kZapAllFast}), "a zap");
  }
  // As many leaf tables as went dense start full, go with a page each, and
  // leave no word.
  void forget_past() {
    writes_.run(*machine_, one_a_table_);
    zap();
  }
  static std::vector<double> one_of_each_table(std::uint64_t span_bytes) {
    std::vector<double> gpa;
    for (std::uint64_t at = 0; at < span_bytes; at += kPageSize * kEntries) {
      gpa.push_back(static_cast<double>(at));
    }
    return gpa;
  }

  Past past_;
  Pages pages_;
  std::vector<double> one_a_table_ = one_of_each_table(pages_.span_bytes);
  std::uint64_t arena_tables_;
  std::unique_ptr<Machine> machine_;
  Writes writes_;
  std::vector<std::uint64_t> dirty_;
};

void add(std::vector<Trial>& trials, const char* family, const char* what,
         Past past) {
  for (const auto& [shape, target] :
       {std::pair(k1GiB, 1.5), std::pair(k256GiB, 1.3)}) {
    trials.push_back({.name = shape.name(family),
                      .what = what,
                      .beside = "a bare insert, and a bit set for each page",
                      .unit = "page",
                      .target = target,
                      .bytes = shape.pages * 20 +
                               arena_tables(shape) * 2 * kPageSize +
                               (64u << 20),
                      .prepare = [shape, past] {
                        return std::make_unique<Touch>(shape, past);
                      }});
  }
}

void add(std::vector<Trial>& trials) {
  add(trials, "touch", "first touches in a logged slot, after a fast zap",
      Past::kKnown);
  add(trials, "fill", "first touches in a logged slot, of an unknown guest",
      Past::kForgotten);
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
