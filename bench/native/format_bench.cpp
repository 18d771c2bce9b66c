// The table formats that docs/decisions/0002-node-format.md weighs: what one
// lookup and one insertion cost, and what the tables take.
//
//   wide     512 words of 64 bits a table, as hardware has them
//   narrow   512 words of 32 bits: the hot half of a split entry
//   compact  ours: 16 keyed entries in a leaf table, 512 after the 17th
//
// Memory is committed before the clock starts, for all three.
#include <benchmark/benchmark.h>

#include <vector>

#include "core/hardware_walk.hpp"
#include "floor.hpp"
#include "pages.hpp"
#include "thread_clock.hpp"

namespace {

using bench::Pages;

class CompactTables {
 public:
  explicit CompactTables(std::uint64_t max_tables)
      : pool_(arena(max_tables)), tree_(pool_, accounts_, mmu::Level::k512G) {
    if (!pool_.ensure(static_cast<unsigned>(max_tables), 0)) std::abort();
    tree_.make_root();
  }

  void insert(std::uint64_t gfn) {
    const mmu::AliasedGfn at{gfn};
    mmu::TableRef table = tree_.root();
    while (table.level > mmu::Level::k4K) {
      const unsigned index = mmu::table_index(at, table.level);
      const mmu::Spte spte = tree_.get(table, index);
      table = spte.is_present()
                  ? mmu::link::table(spte, mmu::below(table.level))
                  : tree_.link_child(table, index);
    }
    tree_.set_spte(table, mmu::table_index(at, mmu::Level::k4K),
                   mmu::make_leaf({gfn}, mmu::Level::k4K, true));
  }

  std::uint64_t walk(std::uint64_t gfn) const {
    const mmu::HardwareWalk hardware(tree_);
    return *hardware.last(hardware.walk_ahead({gfn}), {gfn});
  }

  std::uint64_t bytes() const { return pool_.bytes_in_use(); }

 private:
  static mmu::PagePool arena(std::uint64_t max_tables) {
    auto made = mmu::PagePool::create((max_tables + 1) * 2 * 4160);
    if (!made) std::abort();
    return std::move(made.value());
  }

  mmu::PagePool pool_;
  mmu::TreeAccounts accounts_;
  mmu::PageTable tree_;
};

const Pages& shape(const benchmark::State& state) {
  return bench::pages(static_cast<std::uint64_t>(state.range(0)),
                      static_cast<std::uint64_t>(state.range(1)) << 30);
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
    bench::timed(state, [&] {
      for (double gpa : set.touch) tables.insert(frame(gpa));
    });
    bytes = tables.bytes();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(set.touch.size()));
  state.counters["tableBytes"] = static_cast<double>(bytes);
}

template <class Tables>
void Lookup(benchmark::State& state) {
  const Pages& set = shape(state);
  Tables tables(most_tables(set));
  for (double gpa : set.touch) tables.insert(frame(gpa));
  std::vector<std::uint64_t> out(set.hit.size());
  for (auto _ : state) {
    bench::timed(state, [&] {
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

using Wide = bench::BareTables<std::uint64_t>;
using Narrow = bench::BareTables<std::uint32_t>;

BENCHMARK_TEMPLATE(Insert, Wide)->Apply(shapes);
BENCHMARK_TEMPLATE(Insert, Narrow)->Apply(shapes);
BENCHMARK_TEMPLATE(Insert, CompactTables)->Apply(shapes);
BENCHMARK_TEMPLATE(Lookup, Wide)->Apply(shapes);
BENCHMARK_TEMPLATE(Lookup, Narrow)->Apply(shapes);
BENCHMARK_TEMPLATE(Lookup, CompactTables)->Apply(shapes);

}  // namespace
