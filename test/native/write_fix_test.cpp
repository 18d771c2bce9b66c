#include <doctest/doctest.h>

#include <random>

#include "world.hpp"

namespace {

using mmu::EventKind;
using world::kMiB;

std::unique_ptr<mmu::Machine> logged_vm(bool plain) {
  // The workaround takes a VM off the short path, and changes nothing here,
  // where no page is huge.
  mmu::MachineConfig config;
  config.host.nx_huge_pages = !plain;
  auto machine = world::vm(config);
  world::add(*machine, {.bytes = 4 * kMiB, .flags = 1});
  world::add(*machine, {.id = 1, .gpa = 16 * kMiB, .bytes = kMiB, .flags = 2});
  return machine;
}

std::uint64_t a_gpa(std::mt19937_64& random) {
  const std::uint64_t base = random() % 4 == 0 ? 16 * kMiB : 0;
  return base + random() % 300 * 4096;
}

}  // namespace

TEST_CASE("the short path for lost W leaves what the long one leaves") {
  std::mt19937_64 random(8128);
  const auto fast = logged_vm(true);
  const auto slow = logged_vm(false);
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 50 == 0) {
      world::operate(*fast, EventKind::kDirtyLogGet);
      world::operate(*slow, EventKind::kDirtyLogGet);
    }
    const std::uint64_t gpa = a_gpa(random);
    const auto wanted = static_cast<std::uint8_t>(1 + random() % 7);
    const mmu::Outcome a = world::access(*fast, gpa, wanted);
    const mmu::Outcome b = world::access(*slow, gpa, wanted);
    REQUIRE(a.code == b.code);
    REQUIRE(a.level == b.level);
    REQUIRE(a.sptes_changed == b.sptes_changed);
  }
  CHECK(world::stats(*fast) == world::stats(*slow));
  CHECK(world::stats(*fast)["pf_fast"] > 1'000);
  CHECK(fast->dirty_log(0, true).value() == slow->dirty_log(0, true).value());
}
