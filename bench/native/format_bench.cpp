// The table formats that docs/decisions/0002-node-format.md weighs: what one
// lookup and one insertion cost, and what the tables take.
//
//   Wide           512 words of 64 bits a table, as hardware has them
//   Narrow         512 words of 32 bits: the hot half of a split entry
//   Masked         Wide, and beside each table a bitmap of its used entries
//   CompactTables  ours: 16 keyed entries in a leaf table, 512 after the 17th
//
// Insert has its memory before the clock starts. Build has not: it pays for
// getting, from the kernel, cleared, as much as its tables take.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "bench/floor.hpp"
#include "bench/pages.hpp"
#include "bench/thread_clock.hpp"
#include "compact_tables.hpp"
#include "core/address.hpp"

namespace {

namespace bench = mmu::bench;
using bench::CompactTables;
using bench::Pages;
using Wide = bench::BareTables<std::uint64_t>;
using Narrow = bench::BareTables<std::uint32_t>;

class Masked {
 public:
  static constexpr std::uint64_t kMaskBytes = 64;
  static constexpr std::uint64_t kTableBytes = Wide::kTableBytes + kMaskBytes;

  explicit Masked(std::uint64_t max_tables)
      : tables_(max_tables),
        masks_(max_tables * kMaskBytes),
        mask_(reinterpret_cast<std::uint64_t*>(masks_.base())) {}

  void insert(std::uint64_t gfn) {
    const std::uint64_t table = tables_.insert(gfn);
    mask_[table * 8 + gfn % 512 / 64] |= mmu::bit(gfn % 64);
  }
  std::uint64_t walk(std::uint64_t gfn) const { return tables_.walk(gfn); }
  std::uint64_t bytes() const {
    return tables_.bytes() / Wide::kTableBytes * kTableBytes;
  }

 private:
  Wide tables_;
  bench::HugeArena masks_;
  std::uint64_t* mask_;
};

const Pages& shape(const benchmark::State& state) {
  static std::map<std::int64_t, std::unique_ptr<const Pages>> made;
  std::unique_ptr<const Pages>& set = made[state.range(1)];
  if (!set) {
    set = std::make_unique<Pages>(
        bench::Shape{static_cast<std::uint64_t>(state.range(0)),
                     static_cast<std::uint64_t>(state.range(1))});
  }
  return *set;
}

// One iteration of a benchmark that uses manual time.
template <class Body>
void timed(benchmark::State& state, Body body) {
  state.SetIterationTime(bench::seconds_of(body));
}

std::uint64_t frame(double gpa) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(gpa)) >> 12;
}

std::uint64_t most_tables(const Pages& set) {
  return std::min(set.touch.size(), set.span_bytes >> 21) +
         std::min(set.touch.size(), set.span_bytes >> 30) + 4096;
}

template <class Tables>
void Insert(benchmark::State& state) {
  const Pages& set = shape(state);
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    Tables tables(most_tables(set));
    timed(state, [&] {
      for (double gpa : set.touch) tables.insert(frame(gpa));
    });
    bytes = tables.bytes();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(set.touch.size()));
  state.counters["tableBytes"] = static_cast<double>(bytes);
}

template <class Tables>
void Build(benchmark::State& state) {
  const Pages& set = shape(state);
  const auto make = [&](std::uint64_t max_tables) {
    Tables tables(max_tables);
    for (double gpa : set.touch) tables.insert(frame(gpa));
    return tables.bytes();
  };
  const std::uint64_t needed = make(most_tables(set)) / Tables::kTableBytes + 4;
  for (auto _ : state) {
    timed(state, [&] { benchmark::DoNotOptimize(make(needed)); });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(set.touch.size()));
}

template <class Tables>
void Lookup(benchmark::State& state) {
  const Pages& set = shape(state);
  Tables tables(most_tables(set));
  for (double gpa : set.touch) tables.insert(frame(gpa));
  std::vector<std::uint64_t> out(set.hit.size());
  for (auto _ : state) {
    timed(state, [&] {
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = tables.walk(frame(set.hit[i]));
      }
      benchmark::DoNotOptimize(out.data());
    });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(set.hit.size()));
}

// Dense, one page in sixteen, and one page in 16 MiB.
void shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({1 << 18, 1})
      ->Args({1 << 22, 256})
      ->Args({1 << 18, 4096})
      ->UseManualTime();
}

BENCHMARK_TEMPLATE(Insert, Wide)->Apply(shapes);
BENCHMARK_TEMPLATE(Insert, Narrow)->Apply(shapes);
BENCHMARK_TEMPLATE(Insert, Masked)->Apply(shapes);
BENCHMARK_TEMPLATE(Insert, CompactTables)->Apply(shapes);
BENCHMARK_TEMPLATE(Build, Wide)->Apply(shapes);
BENCHMARK_TEMPLATE(Build, Narrow)->Apply(shapes);
BENCHMARK_TEMPLATE(Build, CompactTables)->Apply(shapes);
BENCHMARK_TEMPLATE(Lookup, Wide)->Apply(shapes);
BENCHMARK_TEMPLATE(Lookup, Narrow)->Apply(shapes);
BENCHMARK_TEMPLATE(Lookup, CompactTables)->Apply(shapes);

}  // namespace
