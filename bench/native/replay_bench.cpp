// Replay of hits and of first touches, each beside the floor that it is a
// ratio of. bench/ratios.mjs runs this with the repetitions interleaved and
// divides the medians.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "core/machine.hpp"
#include "floor.hpp"
#include "pages.hpp"
#include "thread_clock.hpp"

namespace {

using bench::Pages;
using Tables = bench::BareTables<std::uint64_t>;

constexpr std::size_t kBatch = 65536;

const Pages& shape(const benchmark::State& state) {
  return bench::pages(static_cast<std::uint64_t>(state.range(0)),
                      static_cast<std::uint64_t>(state.range(1)) << 30);
}

// Columns that stay the same: writes of vCPU 0.
class Columns {
 public:
  explicit Columns(std::size_t count)
      : zeros_(count),
        vcpu_(count),
        kind_(count),
        access_(count, mmu::kAccessWrite),
        sptes_(kBatch),
        pages_(kBatch),
        outcome_(kBatch),
        level_(kBatch),
        tables_(kBatch),
        flush_(kBatch) {}

  void run(mmu::Machine& machine, const std::vector<double>& gpa) {
    mmu::RunControl control;
    for (std::size_t at = 0; at < gpa.size(); at += kBatch) {
      const std::size_t count = std::min(kBatch, gpa.size() - at);
      const mmu::RunResult result =
          machine.run({gpa.data() + at, zeros_.data(), zeros_.data(),
                       vcpu_.data(), kind_.data(), access_.data(), count},
                      {sptes_.data(), pages_.data(), outcome_.data(),
                       level_.data(), tables_.data(), flush_.data()},
                      control);
      if (result.failed) std::abort();
    }
  }

 private:
  std::vector<double> zeros_;
  std::vector<std::uint16_t> vcpu_;
  std::vector<std::uint8_t> kind_;
  std::vector<std::uint8_t> access_;
  std::vector<std::uint32_t> sptes_;
  std::vector<std::uint32_t> pages_;
  std::vector<std::uint8_t> outcome_;
  std::vector<std::uint8_t> level_;
  std::vector<std::uint8_t> tables_;
  std::vector<std::uint8_t> flush_;
};

std::unique_ptr<mmu::Machine> machine_for(const Pages& set, bool logged) {
  auto made = mmu::make_machine({});
  if (!made) std::abort();
  std::unique_ptr<mmu::Machine> machine = std::move(made.value());
  const auto slot = machine->set_memslot(
      {.slot = 0,
       .flags = logged ? mmu::MemslotRegion::kLogDirty : 0u,
       .gpa = 0,
       .bytes = set.span_bytes,
       .hva = mmu::bit(40)});
  if (!slot) std::abort();
  return machine;
}

void count_items(benchmark::State& state, std::size_t events) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(events));
}

template <class Walk>
void hit_floor(benchmark::State& state, Walk walk) {
  const Pages& set = shape(state);
  Tables tables(set.touch.size() / 2 + 1024);
  for (double gpa : set.touch) {
    tables.insert(static_cast<std::uint64_t>(gpa) >> 12);
  }
  std::vector<std::uint64_t> out(kBatch);
  for (auto _ : state) {
    bench::timed(state, [&] {
      for (std::size_t at = 0; at < set.hit.size(); at += kBatch) {
        const std::size_t count = std::min(kBatch, set.hit.size() - at);
        walk(tables, std::span(set.hit.data() + at, count), std::span(out));
        benchmark::DoNotOptimize(out.data());
      }
    });
  }
  count_items(state, set.hit.size());
  state.counters["tableBytes"] = static_cast<double>(tables.bytes());
}

void HitPlainFloor(benchmark::State& state) {
  hit_floor(state, [](const Tables& tables, auto gpa, auto out) {
    tables.walk_plain(gpa, out);
  });
}

void HitGatheredFloor(benchmark::State& state) {
  if (!Tables::has_gather()) return state.SkipWithError("no AVX-512");
  hit_floor(state, [](const Tables& tables, auto gpa, auto out) {
    tables.walk_gathered(gpa, out);
  });
}

void HitReplay(benchmark::State& state) {
  const Pages& set = shape(state);
  const auto machine = machine_for(set, false);
  Columns columns(kBatch);
  columns.run(*machine, set.touch);
  for (auto _ : state) {
    bench::timed(state, [&] { columns.run(*machine, set.hit); });
  }
  count_items(state, set.hit.size());
  state.counters["tableBytes"] =
      static_cast<double>(machine->tables().bytes_in_use);
}

// Both sides have their memory before the clock starts: the floor because it
// is all it does then, the engine because it has run the same trace before and
// given its tables back. Both set the page's bit in a dirty bitmap.
void TouchFloor(benchmark::State& state) {
  const Pages& set = shape(state);
  std::vector<std::uint64_t> dirty(set.span_bytes / mmu::kPageSize / 64);
  for (auto _ : state) {
    Tables tables(set.touch.size() / 2 + 1024);
    bench::timed(state, [&] {
      for (double gpa : set.touch) {
        const std::uint64_t gfn =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(gpa)) >> 12;
        tables.insert(gfn);
        dirty[gfn / 64] |= mmu::bit(gfn % 64);
      }
      benchmark::DoNotOptimize(dirty.data());
    });
  }
  count_items(state, set.touch.size());
}

void TouchReplay(benchmark::State& state) {
  const Pages& set = shape(state);
  Columns columns(kBatch);
  const auto machine = machine_for(set, true);
  columns.run(*machine, set.touch);
  for (auto _ : state) {
    if (!machine->step({.kind = mmu::EventKind::kZapAllFast})) std::abort();
    if (!machine->dirty_log(0, false)) std::abort();
    bench::timed(state, [&] { columns.run(*machine, set.touch); });
  }
  count_items(state, set.touch.size());
}

// 256k pages over 1 GiB, every one; 4M pages over 256 GiB, one in sixteen.
void shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({1 << 18, 1})->Args({1 << 22, 256})->UseManualTime();
}

BENCHMARK(HitPlainFloor)->Apply(shapes);
BENCHMARK(HitGatheredFloor)->Apply(shapes);
BENCHMARK(HitReplay)->Apply(shapes);
BENCHMARK(TouchFloor)->Apply(shapes);
BENCHMARK(TouchReplay)->Apply(shapes);

}  // namespace
