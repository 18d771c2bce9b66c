// A fingerprint says all that decides what a VM will answer, and no more.
#include <algorithm>
#include <random>

#include "small_world.hpp"

using mmu::Fingerprint;
using mmu::Flavour;
using world::kA;
using world::kB;
using world::Small;

namespace {

// What every operation comes to, from here. In no order: two vCPUs may have
// changed places.
using Future = std::vector<std::pair<std::string, Fingerprint>>;

std::string text_of(const mmu::Outcome& outcome) {
  return std::to_string(static_cast<int>(outcome.code)) + ' ' +
         std::to_string(outcome.level) + ' ' +
         std::to_string(outcome.tables_read) + ' ' +
         std::to_string(outcome.flush) + ' ' +
         std::to_string(outcome.sptes_changed) + ' ' +
         std::to_string(outcome.flushed_pages);
}

std::string answer_of(mmu::Machine& machine, const mmu::check::Step& step) {
  const auto* event = std::get_if<mmu::Event>(&step);
  if (event == nullptr) {
    (void)mmu::check::apply(machine, {{step}, {}});
    return {};
  }
  const auto outcome = machine.step(*event);
  return outcome ? text_of(outcome.value()) : outcome.error().message();
}

std::uint64_t violations_of(const mmu::Machine& machine) {
  std::uint64_t count = 0;
  for (const auto& seen : machine.violations()) count += seen.count;
  for (const auto& seen : machine.advisories()) count += seen.count;
  return count;
}

Future future_of(const mmu::check::World& small, mmu::check::Path path) {
  Future future;
  for (const auto& operation : small.operations) {
    const auto lived = mmu::check::live(small, path);
    mmu::Machine& machine = *lived.value();
    const std::uint64_t before = violations_of(machine);
    std::string answer;
    for (const auto& step : operation.steps) answer += answer_of(machine, step);
    answer += std::to_string(violations_of(machine) - before);
    future.emplace_back(answer, machine.fingerprint());
  }
  std::ranges::sort(future);
  return future;
}

// Random paths; whoever ends in a state that was met before has the same
// future. Returns how often that was so on another path.
unsigned check_futures(const Small& each, unsigned paths) {
  const mmu::check::World small = world::small_world(each);
  std::mt19937 random(20);
  std::map<Fingerprint, std::vector<std::uint8_t>> met;
  unsigned again = 0;
  for (unsigned i = 0; i < paths; ++i) {
    std::vector<std::uint8_t> path(1 + random() % 5);
    for (auto& operation : path) {
      operation = static_cast<std::uint8_t>(random() % small.operations.size());
    }
    const auto machine = mmu::check::live(small, path);
    const auto [first, is_new] =
        met.try_emplace(machine.value()->fingerprint(), path);
    if (is_new || first->second == path) continue;
    ++again;
    CHECK((future_of(small, path) == future_of(small, first->second)));
  }
  return again;
}

Fingerprint after(const Small& each, const std::vector<mmu::Event>& events) {
  const auto machine = mmu::check::live(world::small_world(each), {});
  for (const mmu::Event& event : events) {
    REQUIRE(machine.value()->step(event));
  }
  return machine.value()->fingerprint();
}

constexpr std::uint64_t kFirst = world::kSlot;
constexpr std::uint64_t kSecond = world::kSlot + world::kPage;

}  // namespace

TEST_CASE("VMs with equal fingerprints answer everything alike") {
  for (const Small& each :
       {Small{"stolen-bits", Flavour::kTdp, "bits:47", "fail:2"},
        Small{"stolen-bits", Flavour::kRmap, "bits:47", "fail:3"},
        Small{"v5-as-posted", Flavour::kRmap, "bits:47", "hyperv"},
        Small{"v5-as-posted", Flavour::kTdp, "bits:47", "none"},
        Small{.strategy = "precise",
              .mmu = Flavour::kTdp,
              .backing = 2,
              .memory_types = true},
        Small{.strategy = "v5-as-reviewed",
              .mmu = Flavour::kRmap,
              .backing = 2,
              .internal_slots = true},
        Small{.strategy = "duplicate-slots"},
        Small{.strategy = "mirror", .preset = "tdx47"},
        Small{.strategy = "stolen-bits-tdx",
              .mmu = Flavour::kRmap,
              .preset = "tdx47"}}) {
    CAPTURE(each.strategy);
    CHECK(check_futures(each, 200) > 10);
  }
}

TEST_CASE(
    "neither the order of touches nor the number of a vCPU tells VMs apart") {
  for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
    const Small small{.mmu = mmu};
    CHECK(after(small, {{.gpa = kFirst}, {.gpa = kFirst | world::kBit}}) ==
          after(small, {{.gpa = kFirst | world::kBit}, {.gpa = kFirst}}));
    CHECK(after(small, {{.vcpu = 0, .gpa = kFirst}}) ==
          after(small, {{.vcpu = 1, .gpa = kFirst}}));
  }
}

TEST_CASE("whatever decides an answer tells VMs apart") {
  const Small plain{};
  const mmu::Event read{.gpa = kFirst};
  const Fingerprint one = after(plain, {read});
  CHECK(one != after(plain, {}));
  CHECK(one != after(plain, {{.gpa = kSecond}}));
  CHECK(one != after(plain, {{.gpa = kFirst | world::kBit}}));
  // Another vCPU remembers it too.
  CHECK(one != after(plain, {read, {.vcpu = 1, .gpa = kFirst}}));
  // Tables stay, and the vCPU has nothing of them.
  CHECK(one != after(plain, {read, {.kind = mmu::EventKind::kVcpuTlbFlush}}));
  CHECK(one != after(plain, {read, {.kind = mmu::EventKind::kDirtyLogGet}}));
  CHECK(one != after(plain, {read,
                             {.kind = mmu::EventKind::kHvaBegin,
                              .gpa = world::kHvaBase + kSecond,
                              .bytes = world::kPage}}));
}
