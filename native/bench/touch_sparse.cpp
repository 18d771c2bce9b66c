// First touches all over 4 TiB, beside an insert that clears a table of 4 KiB
// wherever it needs one: nearly each page is the only one of its leaf table.
//
// Both sides take tables again that they had before.
#include "bench/floor.hpp"
#include "bench/pages.hpp"
#include "bench/writes.hpp"

namespace mmu::bench {
namespace {

constexpr Shape k4TiB{1 << 18, 4096};

class TouchSparse final : public Sides {
 public:
  TouchSparse()
      : pages_(k4TiB),
        machine_(machine_of(pages_.span_bytes)),
        tables_(k4TiB.most_tables()) {
    writes_.run(*machine_, pages_.touch);
  }

  std::uint64_t events() const override { return pages_.touch.size(); }
  double engine() override {
    expect(machine_->step({.kind = EventKind::kZapAllFast}), "a zap");
    return seconds_of([&] { writes_.run(*machine_, pages_.touch); });
  }
  double floor() override {
    tables_.forget();
    return seconds_of([&] {
      for (const double gpa : pages_.touch) {
        tables_.insert<true>(
            static_cast<std::uint64_t>(static_cast<std::int64_t>(gpa)) >>
            kPageShift);
      }
      keep(&tables_);
    });
  }
  bool holds() const override { return writes_.all(OutcomeCode::kFixed); }

 private:
  Pages pages_;
  std::unique_ptr<Machine> machine_;
  Writes writes_;
  BareTables<std::uint64_t> tables_;
};

void add(std::vector<Trial>& trials) {
  trials.push_back(
      {.name = k4TiB.name("touch-sparse"),
       .what = "first touches, each in a leaf table of its own",
       .beside = "an insert that clears a 4 KiB table for each",
       .unit = "page",
       .target = 0.3,
       // The floor's tables, the engine's compact ones, pages and their set.
       .bytes = k4TiB.most_tables() * (kPageSize + 256) + (256u << 20),
       .prepare = [] { return std::make_unique<TouchSparse>(); }});
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
