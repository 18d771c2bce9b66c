// Zapping all that a slot maps by a range of host addresses, beside clearing
// the same entries of bare tables.
//
// Both sides read each entry before it goes: KVM asks whether it was accessed
// and dirty, and what it was to be flushed for.
#include "bench/floor.hpp"
#include "bench/pages.hpp"
#include "bench/writes.hpp"

namespace mmu::bench {
namespace {

class Zap final : public Sides {
 public:
  explicit Zap(const Shape& shape)
      : pages_(shape),
        machine_(machine_of(pages_.span_bytes)),
        tables_(shape.most_tables()) {}

  std::uint64_t events() const override { return pages_.touch.size(); }
  double engine() override {
    writes_.run(*machine_, pages_.touch);
    return seconds_of([&] {
      const auto done = machine_->step({.kind = EventKind::kHvaInvalidate,
                                        .gpa = bit(40),
                                        .bytes = pages_.span_bytes});
      expect(done, "a zap");
      zapped_ = done.value().sptes_changed;
    });
  }
  double floor() override {
    for (const double gpa : pages_.touch) {
      tables_.insert(static_cast<std::uint64_t>(gpa) >> kPageShift);
    }
    return seconds_of([&] {
      seen_ = tables_.clear_leaves(0, pages_.span_bytes >> kPageShift);
      keep(&seen_);
    });
  }
  bool holds() const override { return zapped_ == events() && seen_ != 0; }

 private:
  Pages pages_;
  std::unique_ptr<Machine> machine_;
  Writes writes_;
  BareTables<std::uint64_t> tables_;
  std::uint64_t zapped_ = 0;
  std::uint64_t seen_ = 0;
};

void add(std::vector<Trial>& trials) {
  for (const Shape& shape : {k1GiB, k16GiB}) {
    trials.push_back(
        {.name = shape.name("zap-range"),
         .what = "zap of a slot's pages by a host range",
         .beside = "reading and clearing their entries",
         .unit = "page",
         .target = 1.5,
         .bytes = shape.pages * 16 + shape.most_tables() * 2 * kPageSize +
                  (64u << 20),
         .prepare = [shape] { return std::make_unique<Zap>(shape); }});
  }
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
