// One workload, a given number of times, for a counter of instructions; prints
// how often memory was asked for.
//
//   native-instructions WORKLOAD REPETITIONS     (0 to 4)
//   native-instructions --list                   name, events a repetition, and
//                                                which choice of path it heeds
//
// Everything that a repetition needs is made before the first one, the same
// for every number of them, so the difference between two runs is what the
// repetitions did and nothing else. bench/instructions.mjs divides it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/trial.hpp"
#include "core/machine.hpp"
#include "count_allocations.hpp"

namespace bench = mmu::bench;

namespace {

constexpr std::size_t kPages = 65536;
constexpr unsigned kMost = 4;

struct Columns {
  std::vector<double> zeros = std::vector<double>(kPages);
  std::vector<std::uint16_t> vcpu = std::vector<std::uint16_t>(kPages);
  std::vector<std::uint8_t> kind = std::vector<std::uint8_t>(kPages);
  std::vector<std::uint8_t> access =
      std::vector<std::uint8_t>(kPages, mmu::kAccessWrite);
  std::vector<std::uint32_t> sptes = std::vector<std::uint32_t>(kPages);
  std::vector<std::uint32_t> flushed = std::vector<std::uint32_t>(kPages);
  std::vector<std::uint8_t> small = std::vector<std::uint8_t>(4 * kPages);

  void write(mmu::Machine& machine, const std::vector<double>& gpa) {
    mmu::RunControl control;
    const mmu::RunResult result = machine.run(
        {gpa.data(), zeros.data(), zeros.data(), vcpu.data(), kind.data(),
         access.data(), gpa.size()},
        {sptes.data(), flushed.data(), small.data(), small.data() + kPages,
         small.data() + 2 * kPages, small.data() + 3 * kPages},
        control);
    if (result.failed) std::abort();
  }
};

// Every page of the part'th 256 MiB, in a random order.
std::vector<double> shuffled(unsigned part) {
  std::vector<double> gpa(kPages);
  for (std::size_t i = 0; i < kPages; ++i) {
    gpa[i] = static_cast<double>((part * kPages + i) * 4096);
  }
  std::mt19937_64 random(part);
  std::shuffle(gpa.begin(), gpa.end(), random);
  return gpa;
}

std::unique_ptr<mmu::Machine> machine_for(
    bool logged, const mmu::MachineConfig& config = {}) {
  auto made = mmu::make_machine(config);
  if (!made) std::abort();
  std::unique_ptr<mmu::Machine> machine = std::move(made.value());
  const auto slot = machine->set_memslot(
      {.flags = logged ? mmu::MemslotRegion::kLogDirty : 0u,
       .bytes = kMost * kPages * 4096,
       .hva = std::uint64_t{1} << 40});
  if (!slot) std::abort();
  return machine;
}

void operate(mmu::Machine& machine, mmu::EventKind kind) {
  if (!machine.step({.kind = kind})) std::abort();
}

void hit(unsigned repetitions) {
  Columns columns;
  const auto machine = machine_for(false);
  const std::vector<double> gpa = shuffled(0);
  columns.write(*machine, gpa);
  for (unsigned i = 0; i < repetitions; ++i) columns.write(*machine, gpa);
}

// Walks that only look, with no outcome.
void walk(unsigned repetitions) {
  Columns columns;
  const auto machine = machine_for(false);
  const std::vector<double> gpa = shuffled(0);
  columns.write(*machine, gpa);
  std::vector<std::uint64_t> spte(kPages);
  std::vector<std::uint8_t> level(kPages);
  for (unsigned i = 0; i < repetitions; ++i) {
    if (machine->walk_batch({gpa.data(), spte.data(), level.data(), kPages})) {
      std::abort();
    }
  }
}

void first_touch(unsigned repetitions) {
  Columns columns;
  const auto machine = machine_for(false);
  std::array<std::vector<double>, kMost> gpa;
  for (unsigned i = 0; i < kMost; ++i) gpa[i] = shuffled(i);
  for (unsigned i = 0; i < repetitions; ++i) columns.write(*machine, gpa[i]);
}

// Takes the log of every page, then writes each again: the fast fix.
void dirty_round(unsigned repetitions) {
  Columns columns;
  const auto machine = machine_for(true);
  const std::vector<double> gpa = shuffled(0);
  columns.write(*machine, gpa);
  for (unsigned i = 0; i < repetitions; ++i) {
    operate(*machine, mmu::EventKind::kDirtyLogGet);
    columns.write(*machine, gpa);
  }
}

// Events are the leaves that go.
void zap_all(unsigned repetitions) {
  Columns columns;
  const std::vector<double> gpa = shuffled(0);
  std::array<std::unique_ptr<mmu::Machine>, kMost> machines;
  for (auto& machine : machines) {
    machine = machine_for(false);
    columns.write(*machine, gpa);
  }
  for (unsigned i = 0; i < repetitions; ++i) {
    operate(*machines[i], mmu::EventKind::kZapAllFast);
  }
}

// Every other page through the second of two views, each with its own tables.
void alias_hit(unsigned repetitions) {
  Columns columns;
  mmu::MachineConfig config;
  config.strategy = "stolen-bits";
  config.preset = "bits:47";
  const auto machine = machine_for(false, config);
  std::vector<double> gpa = shuffled(0);
  for (std::size_t i = 0; i < kPages; i += 2)
    gpa[i] += static_cast<double>(std::uint64_t{1} << 47);
  columns.write(*machine, gpa);
  for (unsigned i = 0; i < repetitions; ++i) columns.write(*machine, gpa);
}

// One fault in eight events: it maps the seven neighbours ahead.
void rmap_first_touch(unsigned repetitions) {
  Columns columns;
  mmu::MachineConfig config;
  config.mmu = mmu::Flavour::kRmap;
  const auto machine = machine_for(false, config);
  std::array<std::vector<double>, kMost> gpa;
  for (unsigned i = 0; i < kMost; ++i) gpa[i] = shuffled(i);
  for (unsigned i = 0; i < repetitions; ++i) columns.write(*machine, gpa[i]);
}

// What the guests of examples/storm-*.json do, in their shares, over as many
// pages: KVM zaps all, 436 of 774 pages are touched, and twice the log is taken
// and 120 accesses follow, two thirds of them to pages that lost W.
class Storm {
 public:
  Storm() {
    std::vector<std::uint64_t> pages(774);
    std::iota(pages.begin(), pages.end(), 0);
    std::mt19937_64 random(1);
    while (gpa_.size() + 679 <= kPages) {
      std::shuffle(pages.begin(), pages.end(), random);
      operate(mmu::EventKind::kZapAllFast);
      for (std::size_t i = 0; i < 436; ++i) touch(pages[i]);
      for (std::size_t round = 0; round < 2; ++round) {
        operate(mmu::EventKind::kDirtyLogGet);
        for (std::size_t i = 0; i < 80; ++i) touch(pages[80 * round + i]);
        for (std::size_t i = 0; i < 40; ++i) touch(pages[80 * round + i]);
      }
    }
    while (gpa_.size() < kPages) touch(pages[gpa_.size() % 100]);
  }

  void run(unsigned repetitions, const mmu::TlbShape& tlb) {
    mmu::MachineConfig config;
    config.tlb = tlb;
    const auto machine = machine_for(true, config);
    columns_.write(*machine, gpa_);
    for (unsigned i = 0; i < repetitions; ++i) columns_.write(*machine, gpa_);
  }

 private:
  void touch(std::uint64_t page) {
    gpa_.push_back(static_cast<double>(page * 4096));
  }
  void operate(mmu::EventKind kind) {
    columns_.kind[gpa_.size()] = static_cast<std::uint8_t>(kind);
    columns_.access[gpa_.size()] = 0;
    gpa_.push_back(0);
  }

  Columns columns_;
  std::vector<double> gpa_;
};

constexpr unsigned kSmallAndHuge =
    mmu::TlbGeometry::k4K | mmu::TlbGeometry::k2M;

void storm(unsigned repetitions) { Storm().run(repetitions, {}); }
// The default TLB, and the largest and the most varied that a preset has.
void storm_tlb(unsigned repetitions) {
  Storm().run(repetitions, mmu::TlbShape::small(1536));
}
void storm_zen4(unsigned repetitions) {
  Storm().run(repetitions,
              {.arrays = {{3072, 24, kSmallAndHuge}}, .links = {0, 64, 64, 0}});
}
void storm_skylake(unsigned repetitions) {
  Storm().run(repetitions, {.arrays = {{1536, 12, kSmallAndHuge},
                                       {16, 4, mmu::TlbGeometry::k1G}},
                            .links = {32, 4, 0, 0}});
}

struct Workload {
  std::string_view name;
  void (*run)(unsigned repetitions);
  // GPALIAS_REPLAY_PATH, GPALIAS_TRACE_PATH, or none.
  std::string_view heeds;
};

constexpr std::array kWorkloads{
    Workload{"hit", hit, "replay"},
    Workload{"walk", walk, "replay"},
    Workload{"first-touch", first_touch, "-"},
    Workload{"dirty-round", dirty_round, "-"},
    Workload{"zap-all", zap_all, "-"},
    Workload{"alias-hit", alias_hit, "-"},
    Workload{"rmap-first-touch", rmap_first_touch, "-"},
    Workload{"storm", storm, "-"},
    Workload{"storm-tlb", storm_tlb, "-"},
    Workload{"storm-zen4", storm_zen4, "-"},
    Workload{"storm-skylake", storm_skylake, "-"}};

// The engine's side of trials of `gpalias bench`, and which choice each heeds.
constexpr std::array kTrials{std::pair{"decode-text", "trace"},
                             std::pair{"decode-binary", "-"},
                             std::pair{"guest-walk-1GiB", "-"}};

const bench::Trial& trial_called(std::string_view name) {
  static const std::vector<bench::Trial> all = bench::trials();
  return *std::ranges::find(all, name, &bench::Trial::name);
}

void list() {
  for (const Workload& each : kWorkloads) {
    std::printf("%s %zu %s\n", each.name.data(), kPages, each.heeds.data());
  }
  for (const auto& [name, heeds] : kTrials) {
    const auto sides = trial_called(name).prepare();
    std::printf("%s %llu %s\n", name,
                static_cast<unsigned long long>(sides->events()), heeds);
  }
}

bool run(std::string_view name, unsigned repetitions) {
  for (const Workload& each : kWorkloads) {
    if (each.name != name) continue;
    each.run(repetitions);
    return true;
  }
  for (const auto& [trial, heeds] : kTrials) {
    if (trial != name) continue;
    const auto sides = trial_called(trial).prepare();
    for (unsigned i = 0; i < repetitions; ++i) sides->engine();
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "--list") {
    list();
    return 0;
  }
  const unsigned repetitions =
      argc == 3 ? std::min(kMost, static_cast<unsigned>(std::atoi(argv[2])))
                : 0;
  if (argc == 3 && run(name, repetitions)) {
    std::printf("%llu\n", bench::allocations());
    return 0;
  }
  std::fputs("usage: native-instructions WORKLOAD REPETITIONS | --list\n",
             stderr);
  return 2;
}
