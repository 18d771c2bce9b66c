// Many walks at once against one walk at a time.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/address.hpp"
#include "core/machine.hpp"

using namespace mmu;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::unique_ptr<Machine> machine_with(const MachineConfig& config,
                                      std::uint8_t backing = 1) {
  auto made = make_machine(config);
  REQUIRE(made);
  REQUIRE(made.value()->set_memslot({.slot = 0,
                                     .gpa = 0,
                                     .bytes = kGiB,
                                     .hva = bit(40),
                                     .backing = backing}));
  return std::move(made.value());
}

void touch(Machine& machine, std::uint64_t gpa) {
  REQUIRE(machine.step({.access = kAccessWrite, .gpa = gpa}));
}

// Walks all of them at once, and each by itself.
void check_alike(const Machine& machine, const std::vector<double>& gpa) {
  std::vector<std::uint64_t> spte(gpa.size(), 77);
  std::vector<std::uint8_t> level(gpa.size(), 77);
  REQUIRE(
      !machine.walk_batch({gpa.data(), spte.data(), level.data(), gpa.size()}));
  for (std::size_t i = 0; i < gpa.size(); ++i) {
    const auto steps = machine.walk(static_cast<std::uint64_t>(gpa[i]));
    REQUIRE(steps);
    const StepView last =
        steps.value().empty() ? StepView{} : steps.value().back();
    CAPTURE(i);
    CHECK(spte[i] == last.spte);
    CHECK(level[i] == (last.is_leaf ? last.level : 0));
  }
}

// All over the slot, the hole behind it, and the last page that there is.
std::vector<double> addresses(const Machine& machine, std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<double> gpa(count);
  for (double& each : gpa) each = static_cast<double>(random() % (2 * kGiB));
  const std::uint64_t all = bit(machine.config().address_bits);
  gpa[count / 2] = static_cast<double>(all - 1);
  return gpa;
}

}  // namespace

TEST_CASE("a batch of walks says what each walk says, whatever is mapped") {
  std::vector<MachineConfig> configs(6);
  configs[1].host.vendor = Vendor::kAmd;
  configs[2].kernel = Kernel::k510;
  configs[3].mmu = Flavour::kRmap;
  configs[4].address_bits = 52;
  configs[4].host_maxphyaddr = 52;
  configs[4].root_level = 5;
  configs[5].preset = "bits:47";
  configs[5].strategy = "stolen-bits";
  for (const MachineConfig& config : configs) {
    CAPTURE(config.strategy);
    const auto machine = machine_with(config);
    const std::vector<double> all = addresses(*machine, 300);
    check_alike(*machine, all);
    // A region of full leaf tables, and lone pages.
    for (std::uint64_t gpa = 0; gpa < (8u << 20); gpa += kPageSize) {
      touch(*machine, gpa);
    }
    for (std::size_t i = 0; i < all.size(); i += 2) {
      touch(*machine, static_cast<std::uint64_t>(all[i]) % kGiB);
    }
    check_alike(*machine, all);
    std::vector<double> dense(1000);
    for (std::size_t i = 0; i < dense.size(); ++i) {
      dense[i] = static_cast<double>(i * kPageSize + i);
    }
    check_alike(*machine, dense);
    REQUIRE(machine->step({.kind = EventKind::kZapAllFast}));
    check_alike(*machine, dense);
  }
}

TEST_CASE("a batch of walks finds huge leaves, and MMIO entries without one") {
  const auto machine = machine_with({}, 2);
  for (std::uint64_t gpa = 0; gpa < kGiB; gpa += kGiB / 64) {
    touch(*machine, gpa);
  }
  REQUIRE(machine->step({.access = kAccessRead, .gpa = kGiB + 4096}));
  std::vector<double> gpa(64, 4096.0);
  gpa[40] = static_cast<double>(kGiB + 4096);
  check_alike(*machine, gpa);
}

TEST_CASE("a batch of walks with a bad address is refused and writes nothing") {
  const auto machine = machine_with({});
  for (const double bad : {-1.0, 0.5, std::ldexp(1.0, 48), std::nan("")}) {
    std::vector<double> gpa(70, 0.0);
    gpa[69] = bad;
    std::vector<std::uint64_t> spte(gpa.size(), 77);
    std::vector<std::uint8_t> level(gpa.size(), 77);
    const auto error = machine->walk_batch(
        {gpa.data(), spte.data(), level.data(), gpa.size()});
    REQUIRE(error);
    CHECK(error->code == ErrorCode::kEvent);
    CHECK(error->values[0].value == 69);
    CHECK(std::ranges::count(spte, 77u) == 70);
    CHECK(std::ranges::count(level, 77) == 70);
  }
}
