// What a traced VM prints: which lines, with what in them, in which order.
#include "traced.hpp"

using namespace mmu;
using namespace traced;

TEST_CASE("B55: a first touch prints links top down, then the leaf") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000, kAccessWrite);
  const auto all = lines(*vm);
  CHECK(names(all) == Words{"kvm_mmu_get_page", "kvm_page_fault",
                            "kvm_mmu_spte_requested", "kvm_mmu_get_page",
                            "kvm_tdp_mmu_spte_changed", "kvm_mmu_get_page",
                            "kvm_tdp_mmu_spte_changed", "kvm_mmu_get_page",
                            "kvm_tdp_mmu_spte_changed",
                            "kvm_tdp_mmu_spte_changed", "kvm_mmu_set_spte"});
  CHECK(all[0] ==
        "kvm_mmu_get_page: sp gen 0 gfn 0 l4 8-byte q0 direct wux nxe ad "
        "root 0 sync new");
  CHECK(all[1] ==
        "kvm_page_fault: vcpu 0 rip 0x0 address 0x0000000000005000 "
        "error_code 0x182");
  CHECK(all[2] == "kvm_mmu_spte_requested: gfn 5 pfn 5 level 1");
  CHECK(all[4].starts_with(
      "kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 4 old_spte "
      "8000000000000000 new_spte 8000000000"));
  CHECK(all[9] ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn 5 level 1 old_spte "
        "8000000000000000 new_spte 8600000000005b77");
  CHECK(all[10].starts_with(
      "kvm_mmu_set_spte: gfn 5 spte 8600000000005b77 (rwxu) level 1 at "));
  // The entry lies where the last link says, at its index.
  const std::string link = all[8].substr(all[8].rfind(' ') + 1);
  const auto raw = std::stoull(link, nullptr, 16);
  const auto at =
      std::stoull(all[10].substr(all[10].rfind(' ') + 1), nullptr, 16);
  CHECK(at == (raw & bits(51, 12)) + 5 * 8);
}

TEST_CASE("a second first touch in the same table prints no link") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  lines(*vm);
  world::access(*vm, 0x6000, kAccessFetch);
  const auto all = lines(*vm);
  CHECK(names(all) == Words{"kvm_page_fault", "kvm_mmu_spte_requested",
                            "kvm_tdp_mmu_spte_changed", "kvm_mmu_set_spte"});
  CHECK(all[0].ends_with("error_code 0x184"));
  world::access(*vm, 0x6000);
  CHECK(lines(*vm).empty());  // a hit
}

TEST_CASE("B50, B52: a write after logging is the fast path's one line") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  world::operate(*vm, EventKind::kDirtyLogEnable);
  const auto armed = only(lines(*vm), "kvm_tdp_mmu_spte_changed");
  CHECK(armed.back() ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn 5 level 1 old_spte "
        "8600000000005b77 new_spte 8600000000005b75");
  world::access(*vm, 0x5000);
  const auto all = lines(*vm);
  REQUIRE(names(all) == Words{"kvm_page_fault", "fast_page_fault"});
  CHECK(all[0].ends_with("error_code 0x1aa"));
  CHECK(all[1].starts_with(
      "fast_page_fault: vcpu 0 gva 5000 error_code P|W sptep "));
  CHECK(
      all[1].ends_with(" old 0x8600000000005b75 new 8600000000005b77 "
                       "spurious 0 fixed 1"));
}

TEST_CASE("an MMIO access prints its entry when it is made and when checked") {
  auto vm = traced::vm(config_of());
  world::access(*vm, kMmio, kAccessWrite);
  const auto made = lines(*vm);
  CHECK(names(made).back() == "mark_mmio_spte");
  CHECK(only(made, "kvm_mmu_spte_requested")[0] ==
        "kvm_mmu_spte_requested: gfn fee00 pfn 8000000000000000 level 1");
  CHECK(made[made.size() - 2] ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn fee00 level 1 old_spte "
        "8000000000000000 new_spte fee00006");
  CHECK(made.back().ends_with(" gfn fee00 access 6 gen 0"));
  CHECK(only(made, "kvm_mmu_set_spte").empty());
  // Any slot makes the entry stale: no kvm_page_fault tells of it.
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, kMmio, kAccessWrite);
  const auto stale = lines(*vm);
  CHECK(names(stale) == Words{"check_mmio_spte", "kvm_mmu_spte_requested",
                              "kvm_tdp_mmu_spte_changed", "mark_mmio_spte"});
  CHECK(stale[0] ==
        "check_mmio_spte: spte fee00006 kvm_gen 2 spte-gen 0 valid 0");
}

TEST_CASE("a nested-paging host names every exit, MMIO too") {
  auto vm = traced::vm(config_of(Kernel::k616, Vendor::kAmd));
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000, kAccessWrite);
  const auto all = lines(*vm);
  CHECK(only(all, "kvm_page_fault")[0].ends_with("error_code 0x100000006"));
  CHECK(all.back().starts_with(
      "kvm_mmu_set_spte: gfn 5 spte 5e67 (rwxu) level 1 at "));
  world::operate(*vm, EventKind::kDirtyLogEnable);
  world::access(*vm, 0x5000, kAccessWrite);
  CHECK(lines(*vm).back().find("error_code P|W|U|0x100000000 sptep") !=
        std::string::npos);
  world::access(*vm, kMmio, kAccessRead);
  CHECK(lines(*vm).back().ends_with(" gfn fee00 access 7 gen 4"));
  world::add(*vm, {.id = 1, .gpa = world::kGiB, .bytes = world::kMiB});
  world::access(*vm, kMmio, kAccessRead);
  CHECK(lines(*vm)[0].ends_with("error_code 0x10000000d"));
}

TEST_CASE("an unmap names its host range, with or without a slot in it") {
  auto vm = traced::vm(config_of());
  world::operate(*vm, EventKind::kHvaInvalidate, world::kHvaBase, kPage);
  CHECK(lines(*vm) == Words{"kvm_unmap_hva_range: mmu notifier unmap range: "
                            "0x00010000000000 -- 0x00010000001000"});
}

TEST_CASE("B59: ageing names its host range, then each entry that loses A") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  lines(*vm);
  world::operate(*vm, EventKind::kTestAge, world::kHvaBase + 0x5000, kPage);
  CHECK(lines(*vm) ==
        Words{"kvm_test_age_hva: mmu notifier test age hva: 0x00010000005000"});
  world::operate(*vm, EventKind::kAge, world::kHvaBase + 0x5000, kPage);
  CHECK(lines(*vm) ==
        Words{"kvm_age_hva: mmu notifier age hva: 0x00010000005000 -- "
              "0x00010000006000",
              "kvm_tdp_mmu_spte_changed: as id 0 gfn 5 level 1 old_spte "
              "8600000000005b77 new_spte 8600000000005a77"});
}

TEST_CASE("without A/D bits the fast path answers a use of an aged page") {
  MachineConfig config = config_of();
  config.host.ad_bits = false;
  auto vm = traced::vm(config);
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  CHECK(lines(*vm)[0].find("nxe !ad root") != std::string::npos);
  world::operate(*vm, EventKind::kAge, world::kHvaBase + 0x5000, kPage);
  lines(*vm);
  world::access(*vm, 0x5000, kAccessRead);
  const auto all = lines(*vm);
  REQUIRE(names(all) == Words{"kvm_page_fault", "fast_page_fault"});
  CHECK(all[0].ends_with("error_code 0x181"));
  CHECK(all[1].find("error_code U sptep") != std::string::npos);
  CHECK(all[1].ends_with("spurious 0 fixed 1"));
}

TEST_CASE("the reverse-map MMU prints pages found and made, and no change") {
  auto vm = traced::vm(config_of(Kernel::k616, Vendor::kIntel, Flavour::kRmap));
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  const auto all = lines(*vm);
  CHECK(only(all, "kvm_mmu_get_page").size() == 4);
  CHECK(only(all, "kvm_tdp_mmu_spte_changed").empty());
  // Its own leaf, and seven neighbours that nobody has used.
  const auto set = only(all, "kvm_mmu_set_spte");
  REQUIRE(set.size() == 8);
  CHECK(set[0].starts_with("kvm_mmu_set_spte: gfn 5 spte 8600000000005b77"));
  CHECK(set[1].starts_with("kvm_mmu_set_spte: gfn 0 spte 8600000000000a77"));
  world::operate(*vm, EventKind::kZapAllFast);
  const auto gone = lines(*vm);
  CHECK(gone[0] == "kvm_mmu_zap_all_fast: kvm-mmu-valid-gen 0 used_pages 4");
  CHECK(only(gone, "kvm_mmu_prepare_zap_page").size() == 4);
}

TEST_CASE("a line begins with the task, the vCPU and the number of the event") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  vm->take_trace();
  REQUIRE(vm->step({.access = kAccessWrite, .vcpu = 1, .gpa = 0x6000}));
  CHECK(vm->take_trace().starts_with(
      "         gpalias-1       [001] .....     0.000001: kvm_page_fault: vcpu "
      "1 "));
}

TEST_CASE("a traced VM answers as one that is not") {
  const MachineConfig config = config_of();
  auto one = world::vm(config);
  auto two = traced::vm(config);
  for (Machine* vm : {one.get(), two.get()}) {
    world::add(*vm, {.bytes = 4 * world::kMiB, .backing = 2});
    for (std::uint64_t gpa = 0; gpa < 4 * world::kMiB; gpa += 5 * kPage) {
      world::access(*vm, gpa, gpa % 3 == 0 ? kAccessWrite : kAccessRead);
    }
    world::access(*vm, kMmio);
    world::operate(*vm, EventKind::kDirtyLogEnable);
    for (std::uint64_t gpa = 0; gpa < world::kMiB; gpa += 3 * kPage) {
      world::access(*vm, gpa);
    }
    world::operate(*vm, EventKind::kDirtyLogGet);
    world::access(*vm, 3 * kPage);
    world::operate(*vm, EventKind::kDirtyLogDisable);
    world::check_accounts(*vm);
  }
  CHECK(world::stats(*one) == world::stats(*two));
  const auto leaves = one->leaves(true);
  const auto others = two->leaves(true);
  REQUIRE(leaves.size() == others.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    CHECK(leaves[i].gpa == others[i].gpa);
    CHECK(leaves[i].spte == others[i].spte);
  }
}

TEST_CASE("tracing goes off, and what was not taken is forgotten") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  REQUIRE_FALSE(vm->set_trace(std::nullopt));
  CHECK(vm->take_trace().empty());
  world::access(*vm, 0x6000);
  CHECK(vm->take_trace().empty());
  REQUIRE_FALSE(vm->set_trace(TraceRelease::k616));
  CHECK(vm->take_trace().empty());
  world::operate(*vm, EventKind::kZapAllFast);
  CHECK_FALSE(vm->take_trace().empty());
}
