// The short ways behind a TLB leave what the long ones leave.
#include <random>

#include "alias_world.hpp"

using mmu::EventKind;
using world::kMiB;
using world::kPage;

namespace {

using Vm = std::unique_ptr<mmu::Machine>;

// Who prints tracepoints goes the long ways, and answers as who does not.
Vm vm(bool is_short, std::string_view strategy, const mmu::TlbShape& tlb) {
  mmu::MachineConfig config =
      world::Setup{.strategy = strategy,
                   .preset = strategy == "none" ? "none" : "bits:47",
                   .provider = "hyperv",
                   .vcpus = 2}
          .config();
  config.tlb = tlb;
  Vm machine = world::vm(config);
  if (!is_short) {
    REQUIRE_FALSE(machine->set_trace(mmu::TraceRelease::k616));
  }
  world::add(*machine, {.bytes = 2 * kMiB, .flags = 1});
  world::add(*machine, {.id = 1, .gpa = 4 * kMiB, .bytes = kMiB, .flags = 2});
  world::add(*machine, {.id = 2, .gpa = 8 * kMiB, .bytes = kMiB});
  return machine;
}

mmu::Event any_event(std::mt19937_64& random, bool has_aliases) {
  constexpr EventKind kRare[] = {
      EventKind::kDirtyLogGet, EventKind::kZap, EventKind::kZapAllFast,
      EventKind::kVcpuTlbFlush, EventKind::kHvaInvalidate};
  mmu::Event event;
  event.vcpu = static_cast<std::uint16_t>(random() % 2);
  event.gpa = random() % 3 * 4 * kMiB + random() % 300 * kPage;
  if (random() % 40 == 0) {
    event.kind = kRare[random() % std::size(kRare)];
    event.access = 0;
    event.bytes = 16 * kPage;
    if (event.kind == EventKind::kHvaInvalidate) event.gpa += world::kHvaBase;
    return event;
  }
  event.access = static_cast<std::uint8_t>(1 + random() % 7);
  if (has_aliases && random() % 2 == 0) event.gpa |= world::kBit;
  return event;
}

}  // namespace

TEST_CASE("the short ways behind a TLB leave what the long ones leave") {
  const mmu::TlbShape shapes[] = {
      mmu::TlbShape::small(64, 4),
      {.arrays = {{16, 2, 3}, {4, 2, 5}}, .links = {2, 1, 1, 0}}};
  for (const std::string_view strategy : {"none", "stolen-bits", "precise"}) {
    for (const mmu::TlbShape& shape : shapes) {
      CAPTURE(strategy);
      std::mt19937_64 random(28);
      const Vm quick = vm(true, strategy, shape);
      const Vm slow = vm(false, strategy, shape);
      for (int i = 0; i < 6000; ++i) {
        const mmu::Event event = any_event(random, strategy != "none");
        const auto a = quick->step(event);
        const auto b = slow->step(event);
        REQUIRE(static_cast<bool>(a) == static_cast<bool>(b));
        if (!a) continue;
        REQUIRE(a.value().code == b.value().code);
        REQUIRE(a.value().level == b.value().level);
        REQUIRE(a.value().tables_read == b.value().tables_read);
        REQUIRE(a.value().sptes_changed == b.value().sptes_changed);
        REQUIRE(a.value().flush == b.value().flush);
        (void)slow->take_trace();
        if (i % 100 == 0) REQUIRE(quick->fingerprint() == slow->fingerprint());
      }
      REQUIRE(quick->fingerprint() == slow->fingerprint());
      CHECK(quick->violations().size() == slow->violations().size());
    }
  }
}
