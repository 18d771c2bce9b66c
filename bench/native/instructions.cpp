// One workload, a given number of times, for a counter of instructions:
//
//   native-instructions WORKLOAD REPETITIONS     (0 to 4)
//   native-instructions --list                   name and events a repetition
//
// Everything that a repetition needs is made before the first one, the same
// for every number of them, so the difference between two runs is what the
// repetitions did and nothing else. bench/instructions.mjs divides it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "core/machine.hpp"

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

struct Workload {
  std::string_view name;
  void (*run)(unsigned repetitions);
};

constexpr std::array kWorkloads{Workload{"hit", hit},
                                Workload{"first-touch", first_touch},
                                Workload{"dirty-round", dirty_round},
                                Workload{"zap-all", zap_all},
                                Workload{"alias-hit", alias_hit},
                                Workload{"rmap-first-touch", rmap_first_touch}};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Workload& workload : kWorkloads) {
    if (name == "--list") {
      std::printf("%s %zu\n", workload.name.data(), kPages);
    } else if (name == workload.name && argc == 3) {
      workload.run(std::min(kMost, static_cast<unsigned>(std::atoi(argv[2]))));
      return 0;
    }
  }
  if (name == "--list") return 0;
  std::fputs("usage: native-instructions WORKLOAD REPETITIONS | --list\n",
             stderr);
  return 2;
}
