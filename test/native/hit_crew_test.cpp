// Batches whose hits a crew serves, beside the same events by one thread.
#include "core/hit_crew.hpp"

#include <random>

#include "batch_rows.hpp"

namespace {

using rows::EventKind;
using rows::Outcomes;
using rows::Trace;

constexpr std::uint64_t kRam = 6 * world::kMiB;
constexpr std::uint64_t kLogged = 8 * world::kMiB;
constexpr std::size_t kRows = 16 * mmu::HitCrew::kRows;

std::unique_ptr<mmu::Machine> machine() {
  auto made = mmu::make_machine({});
  REQUIRE(made);
  const world::Slot slots[] = {
      {.id = 0, .bytes = kRam},
      {.id = 1,
       .gpa = kLogged,
       .bytes = 2 * world::kMiB,
       .flags = mmu::MemslotRegion::kLogDirty},
  };
  for (const world::Slot& slot : slots) {
    REQUIRE(made.value()->set_memslot(slot.region()));
  }
  return std::move(made.value());
}

// Hits, but now and then, `rare` times as seldom, something that changes what
// hits mean.
Trace random_trace(std::uint32_t seed, std::uint64_t rare, std::size_t rows) {
  std::mt19937_64 random(seed);
  Trace trace;
  while (trace.rows() < rows) {
    const std::uint64_t page = random() % 1024 * mmu::kPageSize;
    const std::uint64_t what = random() % (rare * 5);
    if (what == 0) trace.add(EventKind::kZap, page, mmu::kPageSize, 0);
    if (what == 1) trace.add(EventKind::kZapAllFast, 0, 0, 0);
    if (what == 2) trace.add(EventKind::kDirtyLogGet, 0, 0, 0);
    if (what == 3) {
      trace.add(EventKind::kAge, world::kHvaBase + page, mmu::kPageSize, 0);
    }
    const std::uint64_t base = what == 4 ? kLogged - kRam : 0;
    const auto access = static_cast<std::uint8_t>(1 + random() % 7);
    trace.add(EventKind::kAccess, base + page, 0, access);
  }
  return trace;
}

Trace touches() {
  Trace trace;
  for (std::uint64_t page = 0; page < 1024; ++page) {
    trace.add(EventKind::kAccess, page * mmu::kPageSize, 0, mmu::kAccessWrite);
  }
  return trace;
}

Outcomes play(mmu::Machine& machine, const Trace& trace, std::size_t batch,
              mmu::HitCrew* crew) {
  Outcomes outcomes(trace.rows(), 77);
  mmu::RunControl control;
  control.crew = crew;
  for (std::size_t at = 0; at < trace.rows(); at += batch) {
    const std::size_t count = std::min(batch, trace.rows() - at);
    const auto events = trace.columns(at, count);
    const auto result = machine.run(events, outcomes.columns(at), control);
    REQUIRE_FALSE(result.failed);
    REQUIRE(control.applied == count);
  }
  return outcomes;
}

}  // namespace

TEST_CASE("what a crew serves is what one thread comes to, row for row") {
  for (const unsigned helpers : {0u, 1u, 2u, 7u}) {
    mmu::HitCrew crew(helpers);
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
      CAPTURE(helpers);
      CAPTURE(seed);
      const Trace trace =
          random_trace(seed, std::uint64_t{1} << (2 * seed + 4), kRows + 77);
      const auto alone = machine();
      const auto helped = machine();
      for (const auto& each : {alone.get(), helped.get()}) {
        play(*each, touches(), 1024, nullptr);
      }
      const Outcomes expected = play(*alone, trace, trace.rows(), nullptr);
      const std::size_t batch = seed % 2 == 0 ? trace.rows() : kRows / 2 + 33;
      REQUIRE(play(*helped, trace, batch, &crew) == expected);
      REQUIRE(helped->fingerprint() == alone->fingerprint());
    }
  }
}

TEST_CASE("rows behind the first that is no hit count for nothing") {
  mmu::HitCrew crew(3);
  const auto made = machine();
  play(*made, touches(), 1024, nullptr);
  Trace trace;
  for (std::size_t i = 0; i < kRows; ++i) {
    trace.add(EventKind::kAccess, i % 1024 * mmu::kPageSize, 0,
              mmu::kAccessRead);
  }
  // In the first rows of the first thread: all others have then come further.
  constexpr std::size_t kAt = 40;
  trace.kind[kAt] = static_cast<std::uint8_t>(EventKind::kZapAllFast);
  const Outcomes found = play(*made, trace, trace.rows(), &crew);
  std::size_t fixed = 0;
  for (std::size_t row = kAt + 1; row < kRows; ++row) {
    fixed +=
        found.code[row] == static_cast<std::uint8_t>(mmu::OutcomeCode::kFixed);
  }
  CHECK(found.sptes[kAt] > 0);
  CHECK(fixed == 1024);
}

TEST_CASE("a crew serves up to a group that is not whole, and no further") {
  mmu::HitCrew crew(2);
  const auto made = machine();
  play(*made, touches(), 1024, nullptr);
  Trace trace;
  for (std::size_t i = 0; i < kRows + 5; ++i) {
    trace.add(EventKind::kAccess, i % 1024 * mmu::kPageSize, 0,
              mmu::kAccessRead);
  }
  const Outcomes found = play(*made, trace, trace.rows(), &crew);
  for (std::size_t row = 0; row < trace.rows(); ++row) {
    CAPTURE(row);
    REQUIRE(found.code[row] ==
            static_cast<std::uint8_t>(mmu::OutcomeCode::kHit));
  }
}

TEST_CASE("a run that is told to stop stops with a crew as well") {
  mmu::HitCrew crew(2);
  const auto made = machine();
  play(*made, touches(), 1024, nullptr);
  Trace trace = touches();
  while (trace.rows() < kRows) {
    trace.add(EventKind::kAccess, 0, 0, mmu::kAccessRead);
  }
  Outcomes outcomes(trace.rows(), 77);
  mmu::RunControl control;
  control.crew = &crew;
  control.stop = true;
  const auto result = made->run(
      {trace.gpa.data(), trace.bytes.data(), nullptr, trace.vcpu.data(),
       trace.kind.data(), trace.access.data(), trace.rows()},
      outcomes.columns(0), control);
  CHECK(result.failed);
  CHECK(result.error.code == mmu::ErrorCode::kAborted);
  CHECK(result.applied == 0);
}
