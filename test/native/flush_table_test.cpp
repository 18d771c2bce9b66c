// Which range calls and full flushes a zap leads to: alias bits, providers,
// failures, and who counts what.
#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using world::Flushed;
using world::kA;
using world::kB;
using world::kBit;
using world::kPage;
using world::Setup;

namespace {

constexpr std::uint64_t kHypervPages = 1'044'480;

std::string text(const Flushed& flushed) { return world::to_text(flushed); }

// Which aliases are mapped when the page is zapped.
enum class Mapped : std::uint8_t { kBoth, kOnlyA, kOnlyB };
constexpr Mapped kAllMapped[] = {Mapped::kBoth, Mapped::kOnlyA, Mapped::kOnlyB};

constexpr std::string_view kPresets[] = {"none", "bits:47", "bits:46,47"};
constexpr std::string_view kProviders[] = {"hyperv", "none", "fail:1",
                                           "fail:2"};

struct Answer {
  std::uint64_t calls;
  std::uint64_t full;
};

// For no, one and two alias bits, what each provider leads to, in the order of
// the lists above. `fail:1` fails at once, `fail:2` at the second call.
struct Row {
  std::string_view strategy;
  Mapped mapped;
  Answer answers[3][4];
};

// clang-format off
constexpr Row kRows[] = {
    // One range, stripped; past one bit the provider is not asked.
    {"v5-as-posted", Mapped::kBoth,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    {"v5-as-posted", Mapped::kOnlyB,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    // The same, and everything after it.
    {"v5-as-reviewed", Mapped::kBoth,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 1}, {0, 1}, {0, 1}, {1, 1}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    {"v5-as-reviewed", Mapped::kOnlyA,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 1}, {0, 1}, {0, 1}, {1, 1}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    // Two ranges whatever is mapped; the second one's failure is ignored.
    {"stolen-bits", Mapped::kBoth,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{2, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    {"stolen-bits", Mapped::kOnlyA,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{2, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    {"stolen-bits", Mapped::kOnlyB,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{2, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{0, 1}, {0, 1}, {0, 1}, {0, 1}}}},
    // One range for each alias that was mapped, and any failure counts.
    {"precise", Mapped::kBoth,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{2, 0}, {0, 1}, {0, 1}, {1, 1}},
      {{2, 0}, {0, 1}, {0, 1}, {1, 1}}}},
    {"precise", Mapped::kOnlyA,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 0}, {0, 1}, {0, 1}, {1, 0}}}},
    {"precise", Mapped::kOnlyB,
     {{{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 0}, {0, 1}, {0, 1}, {1, 0}},
      {{1, 0}, {0, 1}, {0, 1}, {1, 0}}}},
};
// clang-format on

// With no alias bit there is A alone.
std::unique_ptr<mmu::Machine> mapped_world(const Setup& setup, Mapped mapped) {
  auto machine = world::one_page(setup);
  const bool has_b = setup.preset != "none";
  if (mapped != Mapped::kOnlyB || !has_b) world::access(*machine, kA);
  if (mapped != Mapped::kOnlyA && has_b) world::access(*machine, kB);
  return machine;
}

Flushed zap_flushes(mmu::Machine& machine) {
  return world::flushed_by(machine, [&] { world::zap(machine, kA); });
}

// What the three counters of remote flushes grow by.
template <class Act>
std::string counted_by(mmu::Machine& machine, Act act) {
  auto before = world::stats(machine);
  act();
  auto now = world::stats(machine);
  std::string grown;
  for (const char* name :
       {"remote_tlb_flush_requests", "remote_tlb_flush", "tlb_flush"}) {
    grown += std::to_string(now[name] - before[name]) + " ";
  }
  return grown;
}

struct CounterRow {
  std::string_view provider;
  unsigned vcpus;
  const char* range;  // what a range flush counts
  const char* full;   // and a flush of everything
};

}  // namespace

TEST_CASE("a zap's flushes follow bits, provider and which call fails") {
  for (const Row& row : kRows) {
    for (unsigned bits = 0; bits < 3; ++bits) {
      for (unsigned i = 0; i < 4; ++i) {
        const Setup setup{row.strategy, Flavour::kRmap, kPresets[bits],
                          kProviders[i]};
        CAPTURE(setup.strategy);
        CAPTURE(setup.preset);
        CAPTURE(setup.provider);
        CAPTURE(int(row.mapped));
        const Answer& answer = row.answers[bits][i];
        const auto machine = mapped_world(setup, row.mapped);
        CHECK(text(zap_flushes(*machine)) == text({.range = answer.calls,
                                                   .pages = answer.calls,
                                                   .full = answer.full}));
      }
    }
  }
}

TEST_CASE("no strategy asks a provider to flush everything") {
  for (const auto strategy :
       {"v5-as-posted", "v5-as-reviewed", "stolen-bits", "precise"}) {
    for (const std::string_view preset : kPresets) {
      const auto machine = mapped_world(
          {strategy, Flavour::kRmap, preset, "hyperv"}, Mapped::kBoth);
      const Flushed flushed =
          world::flushed_by(*machine, [&] { world::unmap_host(*machine, kA); });
      CHECK(text(flushed) == text({.full = 1}));
    }
  }
}

TEST_CASE("a zap that finds nothing flushes nothing") {
  for (const auto strategy :
       {"v5-as-posted", "v5-as-reviewed", "stolen-bits", "precise"}) {
    const auto machine =
        world::one_page({strategy, Flavour::kRmap, "bits:47", "hyperv"});
    CHECK(text(zap_flushes(*machine)) == text({}));
  }
}

TEST_CASE("precise: with two bits, one range for each of the four that lived") {
  for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine =
        world::one_page({"precise", mmu, "bits:46,47", "hyperv"});
    for (std::uint64_t alias = 0; alias < 4; ++alias) {
      world::access(*machine, kA | alias << 46);
    }
    CHECK(text(zap_flushes(*machine)) == text({.range = 4, .pages = 4}));
  }
}

TEST_CASE("precise: a flush that took nothing is elided, the others' is not") {
  for (const auto& [strategy, expected] :
       {std::pair{"precise", Flushed{.none = 1}},
        std::pair{"stolen-bits", Flushed{.range = 2, .pages = 2}},
        std::pair{"v5-as-posted", Flushed{.range = 1, .pages = 1}}}) {
    CAPTURE(std::string(strategy));
    for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
      const auto machine =
          world::one_page({strategy, mmu, "bits:47", "hyperv"});
      // Switching a log on flushes whether or not anything is mapped.
      const Flushed flushed = world::flushed_by(*machine, [&] {
        world::operate(*machine, EventKind::kDirtyLogEnable);
      });
      CHECK(text(flushed) == text(expected));
    }
  }
}

TEST_CASE("precise: a range is the hull of what its alias lost") {
  for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine = world::vm(Setup{"precise", mmu, "bits:47", "hyperv"});
    world::add(*machine, {.bytes = 64 * kPage});
    world::add(*machine, {.id = 1, .gpa = 64 * kPage, .bytes = 1024 * kPage});
    world::access(*machine, 70 * kPage);
    world::access(*machine, (200 * kPage) | kBit);
    world::access(*machine, (280 * kPage) | kBit);
    Flushed flushed = world::flushed_by(
        *machine, [&] { world::zap(*machine, 128 * kPage, 256 * kPage); });
    // rmap has prefetched each page's aligned group of eight: the page 200 is
    // the first of its group, so is 280.
    const bool tdp = mmu == Flavour::kTdp;
    CHECK(text(flushed) == text({.range = 1, .pages = tdp ? 81u : 88u}));
    flushed = world::flushed_by(*machine,
                                [&] { world::zap(*machine, 0, 1088 * kPage); });
    CHECK(text(flushed) == text({.range = 1, .pages = tdp ? 1u : 8u}));
  }
}

TEST_CASE("Hyper-V's list holds 1,044,480 pages, one more is a full flush") {
  for (const std::uint64_t more : {0, 1}) {
    CAPTURE(more);
    const std::uint64_t pages = kHypervPages + more;
    for (const auto& [strategy, calls] :
         {std::pair{"v5-as-posted", 1u}, std::pair{"stolen-bits", 2u},
          std::pair{"precise", 1u}, std::pair{"none", 1u}}) {
      CAPTURE(std::string(strategy));
      const auto machine =
          world::vm(Setup{strategy, Flavour::kTdp, "bits:47", "hyperv"});
      world::add(*machine, {.bytes = pages * kPage});
      world::access(*machine, 0);
      world::access(*machine, (pages - 1) * kPage);
      const Flushed flushed = world::flushed_by(*machine, [&] {
        world::operate(*machine, EventKind::kDirtyLogEnable);
      });
      CHECK(text(flushed) ==
            text(more != 0 ? Flushed{.full = 1}
                           : Flushed{.range = calls, .pages = calls * pages}));
      CHECK(counted_by(*machine, [&] {
              world::zap(*machine, 0, pages * kPage);
            }) == (more != 0 ? "1 1 0 " : "0 0 0 "));
    }
  }
}

// requests, remote_tlb_flush, tlb_flush. A whole-VM hook needs no vCPU.
TEST_CASE("an event of the VM waits for every vCPU") {
  const CounterRow rows[] = {
      {"none", 1, "1 1 1 ", "1 1 1 "},   {"none", 2, "1 1 2 ", "1 1 2 "},
      {"hyperv", 1, "0 0 0 ", "1 1 0 "}, {"hyperv", 2, "0 0 0 ", "1 1 0 "},
      {"fail:1", 1, "1 1 1 ", "1 1 1 "}, {"fail:1", 2, "1 1 2 ", "1 1 2 "}};
  for (const CounterRow& row : rows) {
    CAPTURE(row.provider);
    CAPTURE(row.vcpus);
    for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
      const Setup setup{.strategy = "stolen-bits",
                        .mmu = mmu,
                        .provider = row.provider,
                        .vcpus = row.vcpus};
      const auto ranged = mapped_world(setup, Mapped::kBoth);
      CHECK(counted_by(*ranged, [&] { world::zap(*ranged, kA); }) == row.range);
      const auto whole = mapped_world(setup, Mapped::kBoth);
      CHECK(counted_by(*whole, [&] { world::unmap_host(*whole, kA); }) ==
            row.full);
    }
  }
}

TEST_CASE("a vCPU that flushes waits for the others, not for itself") {
  const CounterRow rows[] = {
      {"none", 1, "1 0 1 ", "1 0 1 "},   {"none", 2, "1 1 2 ", "1 1 2 "},
      {"hyperv", 1, "0 0 0 ", "1 1 0 "}, {"hyperv", 2, "0 0 0 ", "1 1 0 "},
      {"fail:1", 1, "1 0 1 ", "1 0 1 "}, {"fail:1", 2, "1 1 2 ", "1 1 2 "}};
  for (const CounterRow& row : rows) {
    CAPTURE(row.provider);
    CAPTURE(row.vcpus);
    // B's fault finds A's private leaf in its place: another page, so a flush
    // by range, and with the second reading one of everything behind it.
    for (const auto& [strategy, expected] :
         {std::pair{"v5-as-posted", row.range},
          std::pair{"v5-as-reviewed", row.full}}) {
      const auto machine = world::one_page({.strategy = strategy,
                                            .mmu = Flavour::kRmap,
                                            .preset = "tdx47",
                                            .provider = row.provider,
                                            .vcpus = row.vcpus});
      world::access(*machine, kA);
      CHECK(counted_by(*machine, [&] { world::access(*machine, kB); }) ==
            expected);
    }
  }
}
