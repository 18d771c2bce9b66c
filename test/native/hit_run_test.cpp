// Batches, in which runs of hits are served by groups, beside the same events
// one by one.
#include "core/hit_run.hpp"

#include <random>

#include "batch_rows.hpp"

namespace {

using rows::EventKind;
using rows::Outcomes;
using rows::play;
using rows::Trace;

constexpr std::uint64_t kRam = 6 * world::kMiB;
constexpr std::uint64_t kLogged = 8 * world::kMiB;

std::unique_ptr<mmu::Machine> machine() {
  auto made = mmu::make_machine({});
  REQUIRE(made);
  const world::Slot slots[] = {
      {.id = 0, .bytes = kRam},
      {.id = 1,
       .gpa = kLogged,
       .bytes = 2 * world::kMiB,
       .flags = mmu::MemslotRegion::kLogDirty},
      {.id = 2,
       .gpa = 64 * world::kMiB,
       .bytes = 4 * world::kMiB,
       .backing = 2},
  };
  for (const world::Slot& slot : slots) {
    REQUIRE(made.value()->set_memslot(slot.region()));
  }
  return std::move(made.value());
}

// Stretches: long ones over pages that are there, with now and then an event
// that ends a run: a page that is not, a huge leaf, a hole, a round, a zap.
Trace random_trace(std::uint32_t seed, std::size_t rows) {
  std::mt19937_64 random(seed);
  const std::uint64_t ends_one_in = std::uint64_t{1} << (3 + random() % 7);
  const std::uint64_t places[] = {0, kLogged, kRam, 64 * world::kMiB};
  Trace trace;
  while (trace.gpa.size() < rows) {
    const std::uint64_t base =
        random() % ends_one_in == 0 ? places[random() % 4] : 0;
    const std::uint64_t page = random() % 100 * mmu::kPageSize;
    const auto access = static_cast<std::uint8_t>(1 + random() % 7);
    const std::uint64_t rare = random() % (ends_one_in * 8);
    if (rare == 0) trace.add(EventKind::kZap, page, 2 * mmu::kPageSize, 0);
    if (rare == 1) trace.add(EventKind::kDirtyLogGet, 0, 0, 0);
    if (rare == 2) trace.add(EventKind::kZapAllFast, 0, 0, 0);
    // The marks that a later hit has to make again.
    if (rare == 3) {
      trace.add(EventKind::kAge, world::kHvaBase + page, mmu::kPageSize, 0);
    }
    trace.add(EventKind::kAccess, base + page + random() % 4096, 0, access);
  }
  return trace;
}

}  // namespace

TEST_CASE("runs of hits come to what their events come to one by one") {
  std::uint64_t hits = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Trace trace = random_trace(seed, 3000);
    const auto whole = machine();
    const auto single = machine();
    const Outcomes expected = play(*single, trace, 1);
    const Outcomes found = play(*whole, trace, trace.gpa.size());
    REQUIRE(found == expected);
    REQUIRE(whole->fingerprint() == single->fingerprint());
    for (const std::uint8_t code : found.code) {
      hits += code == static_cast<std::uint8_t>(mmu::OutcomeCode::kHit);
    }
  }
  CHECK(hits > 100'000);
}

TEST_CASE("every vector path comes to the same") {
  const Trace trace = random_trace(7, 20'000);
  const auto run_by = [&](const char* path) {
    setenv("GPALIAS_REPLAY_PATH", path, 1);
    const auto made = machine();
    unsetenv("GPALIAS_REPLAY_PATH");
    return play(*made, trace, trace.gpa.size());
  };
  const Outcomes expected = run_by("portable");
  CHECK(run_by("avx2") == expected);
  CHECK(run_by("avx512") == expected);
  CHECK(run_by("none such") == expected);
}

TEST_CASE("a run ends before the group with a row that is no marked hit") {
  const auto made = machine();
  Trace trace;
  for (std::size_t i = 0; i < 4 * mmu::kWalkGroup; ++i) {
    trace.add(EventKind::kAccess, i % 20 * mmu::kPageSize, 0, mmu::kAccessRead);
  }
  play(*made, trace, trace.gpa.size());
  trace.kind[2 * mmu::kWalkGroup + 5] =
      static_cast<std::uint8_t>(EventKind::kZapAllFast);
  const Outcomes found = play(*made, trace, trace.gpa.size());
  const auto code_at = [&](std::size_t row) {
    return static_cast<mmu::OutcomeCode>(found.code[row]);
  };
  CHECK(code_at(2 * mmu::kWalkGroup + 4) == mmu::OutcomeCode::kHit);
  CHECK(found.sptes[2 * mmu::kWalkGroup + 5] > 0);
  CHECK(code_at(2 * mmu::kWalkGroup + 6) == mmu::OutcomeCode::kFixed);
}

TEST_CASE("hits in pages that were aged mark them again") {
  const auto whole = machine();
  const auto single = machine();
  Trace hits;
  for (std::size_t i = 0; i < 4 * mmu::kWalkGroup; ++i) {
    hits.add(EventKind::kAccess, i % 40 * mmu::kPageSize, 0, mmu::kAccessRead);
  }
  Trace ages;
  ages.add(EventKind::kAge, world::kHvaBase, 40 * mmu::kPageSize, 0);
  for (mmu::Machine* const each : {whole.get(), single.get()}) {
    play(*each, hits, hits.gpa.size());
    play(*each, ages, 1);
    play(*each, hits, each == single.get() ? 1 : hits.gpa.size());
  }
  REQUIRE(whole->fingerprint() == single->fingerprint());
  REQUIRE(play(*whole, ages, 1) == play(*single, ages, 1));
}
