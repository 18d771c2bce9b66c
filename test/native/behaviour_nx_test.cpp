// The checklist's rows about huge pages that nothing is fetched from.
#include "core/flush_plan.hpp"
#include "core/page_queue.hpp"
#include "core/spte.hpp"
#include "world.hpp"

namespace {

using mmu::EventKind;
using mmu::Flavour;
using mmu::MachineConfig;
using mmu::OutcomeCode;
using mmu::Spte;
using world::access;
using world::kGiB;
using world::kMiB;
using world::operate;

constexpr std::uint64_t kPage = 4096;
constexpr auto kFull = static_cast<std::uint8_t>(mmu::FlushScope::kFull);
constexpr Flavour kFlavours[] = {Flavour::kTdp, Flavour::kRmap};

std::unique_ptr<mmu::Machine> nx_vm(Flavour flavour, std::uint8_t backing = 2,
                                    std::uint64_t bytes = 512 * kMiB) {
  MachineConfig config{.mmu = flavour};
  config.host.nx_huge_pages = true;
  auto machine = world::vm(config);
  world::add(*machine, {.bytes = bytes, .backing = backing});
  return machine;
}

mmu::Outcome fetch(mmu::Machine& machine, std::uint64_t gpa) {
  return access(machine, gpa, mmu::kAccessFetch);
}

Spte leaf_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return {machine.walk(gpa).value().back().spte};
}

std::uint64_t splits(const mmu::Machine& machine) {
  return world::stats(machine)["nx_lpage_splits"];
}

}  // namespace

TEST_CASE("B48: a fetch gets a 4K page, and its table is on the list") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    const auto fixed = fetch(*machine, 0);
    CHECK(fixed.code == OutcomeCode::kFixed);
    CHECK(fixed.level == 1);
    CHECK(leaf_at(*machine, 0).permissions() == 7);
    CHECK(splits(*machine) == 1);
    // Where no huge page could be, nothing stands in for one.
    const auto small = nx_vm(flavour, 1);
    fetch(*small, 0);
    CHECK(splits(*small) == 0);
  }
}

TEST_CASE("B49: a read gets a huge page from which nothing is fetched") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    const auto fixed = access(*machine, 0, mmu::kAccessRead);
    CHECK(fixed.level == 2);
    CHECK(leaf_at(*machine, 0).raw == 0x8600000000000bf3);
    CHECK(splits(*machine) == 0);
  }
}

TEST_CASE("B48: a fetch from a huge page takes it apart") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    access(*machine, 0);
    const auto fetched = fetch(*machine, kPage);
    const bool is_tdp = flavour == Flavour::kTdp;
    // The TDP MMU splits in place and finds that there is no more to do.
    CHECK(fetched.code ==
          (is_tdp ? OutcomeCode::kSpurious : OutcomeCode::kFixed));
    CHECK(fetched.level == 1);
    CHECK(fetch(*machine, kPage).code == OutcomeCode::kHit);
    CHECK(splits(*machine) == 1);
    CHECK(world::stats(*machine)["pages_2m"] == 0);
    CHECK(world::stats(*machine)["pages_4k"] == (is_tdp ? 512 : 8));
  }
}

TEST_CASE("other faults stay below a table that was made for a fetch") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    fetch(*machine, 0);
    CHECK(access(*machine, 100 * kPage).level == 1);
    CHECK(access(*machine, 2 * kMiB).level == 2);
  }
}

TEST_CASE("a hole that was fetched from stays small when memory comes") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    CHECK(fetch(*machine, kGiB).code == OutcomeCode::kEmulate);
    CHECK(splits(*machine) == 0);
    world::add(*machine,
               {.id = 1, .gpa = kGiB, .bytes = 4 * kMiB, .backing = 2});
    CHECK(access(*machine, kGiB).level == 1);
    CHECK(access(*machine, kGiB + 2 * kMiB).level == 2);
  }
}

TEST_CASE("a 1G page makes room for 2M pages below the marked table") {
  const auto machine = nx_vm(Flavour::kTdp, 3, kGiB);
  fetch(*machine, 0);
  CHECK(splits(*machine) == 2);
  CHECK(access(*machine, 2 * kMiB).level == 2);
  CHECK(access(*machine, kPage).level == 1);
}

TEST_CASE(
    "a recovery takes the oldest sixtieth, rounded up, and flushes once") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    for (std::uint64_t i = 0; i < 61; ++i) fetch(*machine, i * 2 * kMiB);
    CHECK(splits(*machine) == 61);
    const auto recovered = operate(*machine, EventKind::kNxRecover);
    CHECK(recovered.flush == kFull);
    CHECK(splits(*machine) == 59);
    const auto requests = world::stats(*machine)["remote_tlb_flush_requests"];
    CHECK(requests == 1);
    // The two oldest went: their pages may be huge again.
    CHECK(access(*machine, 0).level == 2);
    CHECK(access(*machine, 2 * kMiB).level == 2);
    CHECK(access(*machine, 4 * kMiB).level == 1);
    world::check_accounts(*machine);
  }
}

TEST_CASE("a recovery with nothing on the list changes and flushes nothing") {
  for (const bool nx : {true, false}) {
    MachineConfig config;
    config.host.nx_huge_pages = nx;
    const auto machine = world::vm(config);
    world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
    access(*machine, 0);
    const auto nothing = operate(*machine, EventKind::kNxRecover);
    CHECK(nothing.flush == 0);
    CHECK(nothing.sptes_changed == 0);
  }
}

TEST_CASE("tables of a logged slot are only no longer counted") {
  const auto machine = nx_vm(Flavour::kTdp);
  fetch(*machine, 0);
  operate(*machine, EventKind::kDirtyLogEnable);
  const auto recovered = operate(*machine, EventKind::kNxRecover);
  CHECK(recovered.flush == 0);
  CHECK(recovered.sptes_changed == 0);
  CHECK(splits(*machine) == 0);
  CHECK(world::stats(*machine)["pages_4k"] == 1);
}

TEST_CASE("a table that goes leaves the list, whoever takes it") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = nx_vm(flavour);
    fetch(*machine, 0);
    fetch(*machine, 2 * kMiB);
    operate(*machine, EventKind::kZapAllFast);
    CHECK(splits(*machine) == 0);
    fetch(*machine, 0);
    CHECK(splits(*machine) == 1);
  }
}

TEST_CASE("a table keeps its place on the list when it grows") {
  const auto machine = nx_vm(Flavour::kTdp);
  fetch(*machine, 0);
  fetch(*machine, 2 * kMiB);
  for (std::uint64_t i = 0; i < 32; ++i) fetch(*machine, i * kPage);
  CHECK(splits(*machine) == 2);
  operate(*machine, EventKind::kNxRecover);
  CHECK(access(*machine, 0).level == 2);
  CHECK(access(*machine, 2 * kMiB).level == 1);
}

TEST_CASE("what the end of a log makes huge again cannot be fetched from") {
  const auto machine = nx_vm(Flavour::kTdp);
  access(*machine, 0);
  operate(*machine, EventKind::kDirtyLogEnable);
  CHECK(leaf_at(*machine, 0).has(mmu::ept::kExec));
  operate(*machine, EventKind::kDirtyLogDisable);
  CHECK(!leaf_at(*machine, 0).has(mmu::ept::kExec));
  CHECK(leaf_at(*machine, 0).has(mmu::ept::kHuge));
}

TEST_CASE(
    "a queue gives pages in the order they came, but for those that left") {
  auto pool = mmu::PagePool::create(2 * kMiB);
  REQUIRE(pool);
  auto made = mmu::PageQueue::create(pool.value());
  REQUIRE(made);
  mmu::PageQueue& queue = made.value();
  CHECK(queue.first() == mmu::kNoPage);
  for (const mmu::PageId page : {7u, 3u, 9u, 3u}) queue.add(page);
  CHECK(queue.size() == 3);
  queue.replace(7, 12);
  CHECK(queue.first() == 12);
  queue.remove(3);
  queue.remove(3);
  queue.remove(12);
  CHECK(queue.first() == 9);
  CHECK(!queue.contains(7));
  queue.remove(9);
  CHECK(queue.first() == mmu::kNoPage);
  CHECK(queue.size() == 0);
}
