// In which order a traced VM prints what goes, and what is split.
#include "core/spte.hpp"
#include "traced.hpp"

using namespace mmu;
using namespace traced;

TEST_CASE("5.10 prints fewer fields, and what is gone as zero") {
  auto vm = traced::vm(config_of(Kernel::k510), TraceRelease::k510);
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000, kAccessWrite);
  auto all = lines(*vm);
  CHECK(only(all, "kvm_page_fault")[0] ==
        "kvm_page_fault: address 5000 error_code 182");
  CHECK(only(all, "kvm_tdp_mmu_spte_changed").back() ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn 5 level 1 old_spte 0 new_spte "
        "5f77");
  world::operate(*vm, EventKind::kZapAllFast);
  all = only(lines(*vm), "kvm_tdp_mmu_spte_changed");
  // Links first, downwards, and nothing of what was absent.
  REQUIRE(all.size() == 4);
  CHECK(all[0].find("level 4") != std::string::npos);
  CHECK(all[3] ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn 5 level 1 old_spte 5f77 "
        "new_spte 0");
}

TEST_CASE("v6.16 takes a root down in four passes, from small to large") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  world::access(*vm, kMmio);
  lines(*vm);
  world::operate(*vm, EventKind::kZapAllFast);
  const auto all = lines(*vm);
  CHECK(all[0] == "kvm_mmu_zap_all_fast: kvm-mmu-valid-gen 0 used_pages 0");
  CHECK(all[1] ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn 5 level 1 old_spte "
        "8600000000005b77 new_spte 8000000000000000");
  // Pass two: each 2M entry, then its table, all of whose entries freeze.
  CHECK(all[2].starts_with("kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 2"));
  CHECK(all[3] ==
        "kvm_mmu_prepare_zap_page: sp gen 0 gfn 0 l1 8-byte q0 direct wux nxe "
        "ad root 0 sync");
  CHECK(all[4] ==
        "kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 1 old_spte "
        "8000000000000000 new_spte 80000000000005a0");
  CHECK(all[4 + 511].find("gfn 1ff level 1") != std::string::npos);
  CHECK(all[4 + 512].starts_with(
      "kvm_tdp_mmu_spte_changed: as id 0 gfn fee00 level 2"));
  // An MMIO entry is not present: no pass takes it, its table does.
  CHECK(all[4 + 514].find("gfn fee00 level 1 old_spte fee00016 new_spte "
                          "80000000000005a0") != std::string::npos);
  // 2 level-1 tables, 2 level-2 tables, 1 level-3 table.
  CHECK(only(all, "kvm_mmu_prepare_zap_page").size() == 5);
  CHECK(only(all, "kvm_tdp_mmu_spte_changed").size() == 5 * 512 + 1 + 5);
  world::operate(*vm, EventKind::kZapAllFast);
  CHECK(lines(*vm) ==
        Words{"kvm_mmu_zap_all_fast: kvm-mmu-valid-gen 1 used_pages 0"});
}

TEST_CASE("6.1 takes a root down from its 1G entries, then the root's own") {
  auto vm = traced::vm(config_of(), TraceRelease::k61);
  world::add(*vm, {.bytes = world::kMiB});
  world::access(*vm, 0x5000);
  lines(*vm);
  world::operate(*vm, EventKind::kZapAllFast);
  const auto all = only(lines(*vm), "kvm_tdp_mmu_spte_changed");
  REQUIRE(all.size() == 2 + 3 * 512);
  CHECK(all[0].find("gfn 0 level 3") != std::string::npos);
  CHECK(all[0].ends_with("new_spte 0"));
  CHECK(all[1].find("gfn 0 level 2") != std::string::npos);
  CHECK(all[1].ends_with("new_spte 5a0"));
  CHECK(
      all[7].ends_with("gfn 5 level 1 old_spte 600000000005b77 new_spte 5a0"));
  CHECK(all[2 + 512].find("gfn 200 level 2") != std::string::npos);
  CHECK(all[1 + 1024].find("gfn 0 level 4") != std::string::npos);
  CHECK(all[2 + 1024].ends_with("gfn 0 level 3 old_spte 0 new_spte 5a0"));
}

TEST_CASE("a recovered table prints only what was present in it") {
  MachineConfig config = config_of();
  config.host.nx_huge_pages = true;
  auto vm = traced::vm(config);
  world::add(*vm, {.bytes = 2 * world::kMiB, .backing = 2});
  world::access(*vm, 0x5000, kAccessFetch);
  world::access(*vm, 0x6000, kAccessFetch);
  lines(*vm);
  world::operate(*vm, EventKind::kNxRecover);
  const auto all = lines(*vm);
  REQUIRE(names(all) ==
          Words{"kvm_tdp_mmu_spte_changed", "kvm_mmu_prepare_zap_page",
                "kvm_tdp_mmu_spte_changed", "kvm_tdp_mmu_spte_changed"});
  CHECK(all[0].find("gfn 0 level 2") != std::string::npos);
  CHECK(
      all[2].ends_with("gfn 5 level 1 old_spte 8600000000005b77 new_spte "
                       "80000000000005a0"));
}

TEST_CASE("a log of writes that is full prints so before it is drained") {
  MachineConfig config = config_of();
  config.host.pml = true;
  auto vm = traced::vm(config);
  world::add(*vm, {.bytes = 4 * world::kMiB});
  constexpr unsigned kPages = 513;
  for (unsigned i = 0; i < kPages; ++i) world::access(*vm, i * kPage);
  world::operate(*vm, EventKind::kDirtyLogEnable);
  const auto armed = only(lines(*vm), "kvm_tdp_mmu_spte_changed");
  CHECK(armed.back().ends_with(
      "gfn 200 level 1 old_spte 8600000000200b77 new_spte 8600000000200977"));
  for (unsigned i = 0; i < kPages - 1; ++i) world::access(*vm, i * kPage);
  CHECK(lines(*vm).empty());
  world::access(*vm, (kPages - 1) * kPage);
  CHECK(lines(*vm) == Words{"kvm_pml_full: vcpu 0: PML full"});
}

TEST_CASE("B62: splitting 1G prints 1 + 512 splits, each behind its link") {
  auto vm = traced::vm(config_of());
  world::add(*vm, {.bytes = world::kGiB, .backing = 3});
  world::access(*vm, 0x5000);
  lines(*vm);
  world::operate(*vm, EventKind::kDirtyLogEnable);
  const auto all = lines(*vm);
  CHECK(names(all)[0] == "kvm_mmu_get_page");
  CHECK(names(all)[1] == "kvm_tdp_mmu_spte_changed");
  CHECK(all[2] ==
        "kvm_mmu_split_huge_page: gfn 0 spte 8600000000000bf7 level 3 errno 0");
  CHECK(only(all, "kvm_mmu_split_huge_page").size() == 1 + 512);
}
