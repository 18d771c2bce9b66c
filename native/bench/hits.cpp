// Replay of hits, whole path, beside a bare walk over tables that hold the
// same pages: a plain loop, and 32 addresses at once.
#include <span>

#include "bench/floor.hpp"
#include "bench/pages.hpp"
#include "bench/writes.hpp"

namespace mmu::bench {
namespace {

using Tables = BareTables<std::uint64_t>;
using Walk = void (Tables::*)(std::span<const double>,
                              std::span<std::uint64_t>) const;

template <Walk walk>
class Hits final : public Sides {
 public:
  explicit Hits(const Shape& shape)
      : pages_(shape),
        machine_(machine_of(pages_.span_bytes)),
        tables_(shape.most_tables()) {
    writes_.run(*machine_, pages_.touch);
    for (const double gpa : pages_.touch) {
      tables_.insert(static_cast<std::uint64_t>(gpa) >> kPageShift);
    }
  }

  std::uint64_t events() const override { return pages_.hit.size(); }
  double engine() override {
    return seconds_of([&] { writes_.run(*machine_, pages_.hit); });
  }
  double floor() override {
    return seconds_of([&] {
      const std::span<const double> all(pages_.hit);
      for (std::size_t at = 0; at < all.size(); at += kBatch) {
        (tables_.*walk)(all.subspan(at, kBatch), out_);
        keep(out_.data());
      }
    });
  }
  bool holds() const override { return writes_.all(OutcomeCode::kHit); }

 private:
  Pages pages_;
  std::unique_ptr<Machine> machine_;
  Writes writes_;
  Tables tables_;
  std::vector<std::uint64_t> out_ = std::vector<std::uint64_t>(kBatch);
};

// Of the tables of both sides, and two orders of the pages.
std::uint64_t bytes_of(const Shape& shape) {
  return shape.pages * 16 + shape.most_tables() * 2 * kPageSize + (64u << 20);
}

template <Walk walk>
Trial trial(std::string_view family, const Shape& shape, double target) {
  return {.name = shape.name(family),
          .what = "replay of hits, whole path",
          .beside = "",
          .unit = "event",
          .target = target,
          .bytes = bytes_of(shape),
          .prepare = [shape] { return std::make_unique<Hits<walk>>(shape); }};
}

void add(std::vector<Trial>& trials) {
  struct Row {
    Shape shape;
    double plain;
    double gathered;
  };
  for (const Row& row :
       {Row{k1GiB, 2.5, 2.0}, Row{k16GiB, 2.5, 1.5}, Row{k256GiB, 2.5, 1.3}}) {
    trials.push_back(
        trial<&Tables::walk_plain>("hits-plain", row.shape, row.plain));
    trials.back().beside = "bare walks of the same tables, one by one";
#if defined(__x86_64__)
    trials.push_back(trial<&Tables::walk_gathered>("hits-gathered", row.shape,
                                                   row.gathered));
    trials.back().beside = "bare walks of the same tables, 32 at once";
    trials.back().needs_avx512 = true;
#endif
  }
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
