// Batches of walks of a guest's own four-level tables, beside the loads that no
// walk can do without: each entry's address comes from the entry above it.
//
// Both read tables of one layout, marked already, and write an address a row.
// The floor knows where guest memory lies, asks no slot, and checks nothing;
// it is the better of two: one address after the other, as an out-of-order core
// overlaps them by itself, and sixteen side by side.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "core/machine.hpp"
#include "huge_arena.hpp"
#include "thread_clock.hpp"

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kFrame = mmu::bits(51, 12);
// Present, writable, user, Accessed, Dirty.
constexpr std::uint64_t kFlags = 0x67;
constexpr std::size_t kRows = 1 << 20;
// Columns are those of a batch, as callers have them, and used again.
constexpr std::size_t kBatch = 1 << 16;
constexpr std::size_t kLanes = 16;

// Tables that map `bytes` at gva 0 in 4K, as a guest has them: in its memory.
class Tables {
 public:
  explicit Tables(std::uint64_t bytes)
      : start_(bytes), words_(512 * (bytes / kPage / 512 * 2 + 16)) {
    root_ = new_table();
    for (std::uint64_t gva = 0; gva < bytes; gva += kPage) {
      *entry_of(gva) = gva | kFlags;
    }
  }
  std::uint64_t root() const { return root_; }
  std::uint64_t start() const { return start_; }
  std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(words_).first(used_ * 512));
  }

 private:
  std::uint64_t new_table() { return start_ + used_++ * kPage; }
  std::uint64_t* table(std::uint64_t gpa) {
    return &words_[(gpa - start_) / 8];
  }
  std::uint64_t* entry_of(std::uint64_t gva) {
    std::uint64_t at = root_;
    for (unsigned shift = 39; shift > 12; shift -= 9) {
      std::uint64_t& entry = table(at)[gva >> shift & 511];
      if (entry == 0) entry = new_table() | kFlags;
      at = entry & kFrame;
    }
    return &table(at)[gva >> 12 & 511];
  }

  std::uint64_t start_;
  std::vector<std::uint64_t> words_;
  std::uint64_t used_ = 0;
  std::uint64_t root_ = 0;
};

struct Case {
  std::unique_ptr<Tables> tables;
  std::vector<std::uint64_t> gva;
};

const Case& case_of(std::uint64_t gib) {
  static std::vector<std::pair<std::uint64_t, Case>> made;
  for (const auto& [size, found] : made) {
    if (size == gib) return found;
  }
  Case fresh{std::make_unique<Tables>(gib << 30), {}};
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < kRows; ++i) {
    fresh.gva.push_back(random() % (gib << 30));
  }
  made.emplace_back(gib, std::move(fresh));
  return made.back().second;
}

class Floor {
 public:
  explicit Floor(const Tables& tables)
      : arena_(tables.bytes().size()),
        base_(arena_.base() - tables.start()),
        root_(tables.root()) {
    std::memcpy(arena_.base(), tables.bytes().data(), tables.bytes().size());
  }

  void one_by_one(std::span<const std::uint64_t> gva, double* out) const {
    for (std::size_t i = 0; i < gva.size(); ++i) {
      std::uint64_t at = root_;
      for (unsigned shift = 39; shift >= 12; shift -= 9) {
        at = load(at, gva[i], shift);
      }
      out[i] = static_cast<double>(at & kFrame);
    }
  }
  void side_by_side(std::span<const std::uint64_t> gva, double* out) const {
    for (std::size_t i = 0; i < gva.size(); i += kLanes) {
      std::uint64_t at[kLanes];
      for (std::uint64_t& lane : at) lane = root_;
      for (unsigned shift = 39; shift >= 12; shift -= 9) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          at[lane] = load(at[lane], gva[i + lane], shift);
        }
      }
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        out[i + lane] = static_cast<double>(at[lane] & kFrame);
      }
    }
  }

 private:
  std::uint64_t load(std::uint64_t entry, std::uint64_t gva,
                     unsigned shift) const {
    std::uint64_t word = 0;
    std::memcpy(&word, base_ + (entry & kFrame) + (gva >> shift & 511) * 8, 8);
    return word;
  }

  bench::HugeArena arena_;
  const std::uint8_t* base_;
  std::uint64_t root_;
};

void count_items(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(kRows) *
                          state.iterations());
}

template <auto walk>
void floor_of(benchmark::State& state) {
  const Case& set = case_of(static_cast<std::uint64_t>(state.range(0)));
  const Floor floor(*set.tables);
  std::vector<double> out(kBatch);
  for (auto _ : state) {
    bench::timed(state, [&] {
      for (std::size_t row = 0; row < kRows; row += kBatch) {
        (floor.*walk)(std::span(set.gva).subspan(row, kBatch), out.data());
      }
    });
    benchmark::DoNotOptimize(out.data());
  }
  count_items(state);
}

void GuestWalkFloor(benchmark::State& state) {
  floor_of<&Floor::one_by_one>(state);
}
void GuestWalkFloorAbreast(benchmark::State& state) {
  floor_of<&Floor::side_by_side>(state);
}

std::unique_ptr<mmu::Machine> machine_for(const Tables& tables) {
  auto made = mmu::make_machine({});
  if (!made) std::abort();
  mmu::Machine& machine = *made.value();
  const std::uint64_t bytes = tables.start() + tables.bytes().size();
  if (!machine.set_memslot({.slot = 0,
                            .bytes = (bytes + kPage - 1) / kPage * kPage,
                            .hva = mmu::bit(40),
                            .backing = 1})) {
    std::abort();
  }
  if (machine.write_guest_memory(tables.start(), tables.bytes())) std::abort();
  mmu::GuestRegisters registers;
  registers.cr0 = mmu::cr0::kPaging | mmu::cr0::kProtected;
  registers.cr3 = tables.root();
  registers.cr4 = mmu::cr4::kPae;
  registers.efer =
      mmu::efer::kLongMode | mmu::efer::kLongModeActive | mmu::efer::kNoExecute;
  if (machine.set_guest_registers(0, registers, false)) std::abort();
  return std::move(made.value());
}

void GuestWalkBatch(benchmark::State& state) {
  const Case& set = case_of(static_cast<std::uint64_t>(state.range(0)));
  const auto machine = machine_for(*set.tables);
  std::vector<double> gpa(kBatch);
  std::vector<std::uint32_t> code(kBatch);
  std::vector<std::uint8_t> ended(kBatch);
  std::vector<std::uint8_t> level(kBatch);
  std::vector<std::uint8_t> granted(kBatch);
  mmu::TranslationColumns columns{set.gva.data(), gpa.data(),   code.data(),
                                  ended.data(),   level.data(), granted.data(),
                                  kBatch};
  for (auto _ : state) {
    bench::timed(state, [&] {
      for (std::size_t row = 0; row < kRows; row += kBatch) {
        columns.gva = set.gva.data() + row;
        if (machine->translate_batch(0, 0, columns)) std::abort();
      }
    });
  }
  if (gpa[7] != static_cast<double>(columns.gva[7])) std::abort();
  count_items(state);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(1)->Arg(16)->UseManualTime();
}

BENCHMARK(GuestWalkFloor)->Apply(sizes);
BENCHMARK(GuestWalkFloorAbreast)->Apply(sizes);
BENCHMARK(GuestWalkBatch)->Apply(sizes);

}  // namespace
