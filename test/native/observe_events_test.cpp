// Every event of every family, in the wordings of old and of new kernels.
#include <doctest/doctest.h>

#include "observed_rows.hpp"

namespace mmu::observe::test {
namespace {

using Row = std::vector<std::uint64_t>;

TEST_CASE("a fault is read with and without its vCPU") {
  const Seen now = one("kvm_page_fault",
                       "vcpu 3 rip 0xfff0 address 0x00000000fffffff0 "
                       "error_code 0x184");
  CHECK(now.words == Row{3, 0xfff0, 0xfffffff0, 0x184, 0, 0, 0, 0});
  CHECK(now.given == 0b1111);
  const Seen before = one("kvm_page_fault", "address fe000b0 error_code 14");
  CHECK(before.words == Row{0, 0, 0xfe000b0, 0x14, 0, 0, 0, 0});
  CHECK(before.given == 0b1100);
}

TEST_CASE("a thread's name tells the vCPU that an old kernel does not print") {
  const std::string text =
      "       CPU 6/KVM-4146    [001] .....    86.5: kvm_page_fault: address "
      "1000 error_code 182\n";
  const Seen row = rows_of(text).at(0);
  CHECK(row.words[0] == 6);
  CHECK(row.given == 0b1101);
  CHECK(row.thread == 4146);
}

TEST_CASE("an exit is read in its five wordings") {
  CHECK(one("kvm_exit", "reason apic_access rip 0xc0115").words ==
        Row{0, 1, 0xc0115, 0, 0, 0, 0, 0});
  CHECK(one("kvm_exit", "reason EPT_VIOLATION rip 0x10 info 582 8000").words ==
        Row{0, 1, 0x10, 0x582, 0x8000, 0, 0, 0});
  CHECK(one("kvm_exit", "vcpu 2 reason npf rip 0x10 info 100000014 fd").words ==
        Row{2, 1, 0x10, 0x100000014, 0xfd, 0, 0, 0});
  const std::string numbers =
      "vcpu 2 reason npf rip 0x10 info1 0x0000000000000011 info2 "
      "0x0000000000000022 intr_info 0x00000033 error_code 0x00000044";
  CHECK(one("kvm_exit", numbers).words ==
        Row{2, 1, 0x10, 0x11, 0x22, 0x33, 0x44, 0});
  const Seen last = one("kvm_exit", numbers + " requests 0x0000000000000055");
  CHECK(last.words == Row{2, 1, 0x10, 0x11, 0x22, 0x33, 0x44, 0x55});
  CHECK(last.given == 0xff);
}

TEST_CASE("a reason may have blanks, and the same one has one number") {
  const std::vector<Seen> rows =
      rows_of(line("kvm_exit", "reason A FAILED_VMENTRY rip 0x1") +
              line("kvm_exit", "reason B rip 0x1") +
              line("kvm_exit", "reason A FAILED_VMENTRY rip 0x1"));
  CHECK(rows[0].words[1] == rows[2].words[1]);
  CHECK(rows[0].texts[rows[0].words[1]] == "A FAILED_VMENTRY");
  CHECK(rows[1].texts[rows[1].words[1]] == "B");
}

TEST_CASE("an entry is read in its three wordings") {
  CHECK(one("kvm_entry", "vcpu 1").words == Row{1, 0, 0, 0, 0, 0, 0, 0});
  CHECK(one("kvm_entry", "vcpu 1, rip 0xf").words ==
        Row{1, 0xf, 0, 0, 0, 0, 0, 0});
  CHECK(one("kvm_entry", "vcpu 1, rip 0xf intr_info 0x80 error_code 0x0[guest]")
            .words == Row{1, 0xf, 0x80, 0, 0, 0, 0, 0});
}

TEST_CASE("an exit to userspace has a name or an errno") {
  CHECK(one("kvm_userspace_exit", "reason KVM_EXIT_MMIO (6)").words ==
        Row{1, 6, 0, 0, 0, 0, 0, 0});
  const Seen failed = one("kvm_userspace_exit", "reason error (14)");
  CHECK(failed.texts[failed.words[0]] == "error");
  CHECK(failed.words[1] == 14);
}

TEST_CASE("MMIO is read: emulated, fast, matched, marked, checked, handled") {
  CHECK(
      one("kvm_mmio", "mmio unsatisfied-read len 4 gpa 0x8111 val 0x7").words ==
      Row{1, 4, 0x8111, 7, 0, 0, 0, 0});
  CHECK(one("kvm_fast_mmio", "fast mmio at gpa 0xfe0").words[0] == 0xfe0);
  CHECK(one("vcpu_match_mmio", "gva 0 gpa 0x9 Read GPA").words ==
        Row{0, 9, 1, 2, 0, 0, 0, 0});
  CHECK(one("mark_mmio_spte", "sptep:00000000ab gfn a access 6 gen 1b").words ==
        Row{0xab, 0xa, 6, 0x1b, 0, 0, 0, 0});
  CHECK(one("mark_mmio_spte", "sptep:(____ptrval____) gfn a access 6 gen 1")
            .words == Row{0, 0xa, 6, 1, 0, 0, 0, 0});
  CHECK(one("handle_mmio_page_fault", "addr:0 gfn a access 6").words ==
        Row{0, 0xa, 6, 0, 0, 0, 0, 0});
  CHECK(one("check_mmio_spte", "spte 3e0a056 kvm_gen a spte-gen b valid 0")
            .words == Row{0x3e0a056, 0xa, 0xb, 0, 0, 0, 0, 0});
}

TEST_CASE("entries are read: requested, set, changed, fixed, split") {
  CHECK(one("kvm_mmu_spte_requested", "gfn 1f pfn 8000000000000000 level 1")
            .words == Row{0x1f, 1ull << 63, 1, 0, 0, 0, 0, 0});
  CHECK(one("kvm_mmu_set_spte",
            "gfn 200 spte 600bf3 (rw-u) level 2 at 18af601008")
            .words == Row{0x200, 0x600bf3, 2, 0b1101, 0x18af601008, 0, 0, 0});
  CHECK(one("kvm_tdp_mmu_spte_changed",
            "as id 1 gfn 7 level 3 old_spte 80000000000005a0 new_spte 0")
            .words == Row{1, 7, 3, 0x80000000000005a0, 0, 0, 0, 0});
  CHECK(one("fast_page_fault",
            "vcpu 4 gva 20fe612 error_code P|W|0x100000000 sptep 00000000fd "
            "old 0x75 new 77 spurious 0 fixed 1")
            .words == Row{4, 0x20fe612, 0x100000003, 0xfd, 0x75, 0x77, 0, 1});
  CHECK(one("fast_page_fault",
            "vcpu 4 gva 1 error_code  sptep (null) old 0 new 0 spurious 1 "
            "fixed 0")
            .words == Row{4, 1, 0, 0, 0, 0, 1, 0});
  CHECK(one("kvm_mmu_split_huge_page", "gfn 200 spte bf3 level 2 errno -16")
            .words == Row{0x200, 0xbf3, 2, 0ull - 16, 0, 0, 0, 0});
  CHECK(
      one("kvm_mmu_zap_all_fast", "kvm-mmu-valid-gen 1 used_pages 1f").words ==
      Row{1, 0x1f, 0, 0, 0, 0, 0, 0});
  CHECK(one("kvm_mmu_invalidate_zap_all_pages",
            "kvm-mmu-valid-gen a0 used_pages 3")
            .words == Row{0xa0, 3, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("a shadow page is read in the words of every release") {
  const Row wanted{0, 0x400, 1, 8, 0, 7, 1 | 4 | 8 | 32, 0};
  CHECK(one("kvm_mmu_get_page",
            "sp gen 0 gfn 400 l1 8-byte q0 direct wux nxe ad root 0 sync new")
            .words == wanted);
  const Seen old = one("kvm_mmu_get_page",
                       "sp gen 0 gfn 400 1 pae q0 direct wux !nxe root 0 sync "
                       "existing");
  CHECK(old.words == Row{0, 0x400, 1, 8, 0, 7, 1, 0});
  const Seen plugin = one("kvm_mmu_get_page",
                          "new sp gfn 400 4 q0 direct w-x pae !nxe !wp root 2 "
                          "sync");
  CHECK(plugin.words == Row{0, 0x400, 4, 8, 0, 5, 1 | 32, 2});
  CHECK(plugin.given == 0b11111110);
  const std::string shadow =
      "sp gen 1f gfn 12 l2 4-byte q1 --- invalid !nxe !ad root 1 unsync";
  for (const char* name : {"kvm_mmu_sync_page", "kvm_mmu_unsync_page",
                           "kvm_mmu_prepare_zap_page"}) {
    CHECK(one(name, shadow).words == Row{0x1f, 0x12, 2, 4, 1, 0, 2 | 16, 1});
  }
}

TEST_CASE("walks of the guest's tables are read") {
  CHECK(one("kvm_mmu_pagetable_walk", "addr ffffffff810 pferr 10 F").words[1] ==
        0x10);
  CHECK(one("kvm_mmu_pagetable_walk", "addr 810 pferr 0 ").words[0] == 0x810);
  CHECK(one("kvm_mmu_paging_element", "pte 2929067 level 4").words ==
        Row{0x2929067, 4, 0, 0, 0, 0, 0, 0});
  CHECK(one("kvm_mmu_set_accessed_bit", "gpa 1008").words[0] == 0x1008);
  CHECK(one("kvm_mmu_set_dirty_bit", "gpa 1010").words[0] == 0x1010);
  CHECK(one("kvm_mmu_walker_error", "pferr 3 P|W").words[0] == 3);
}

TEST_CASE("notifiers and asynchronous faults are read") {
  CHECK(one("kvm_unmap_hva_range",
            "mmu notifier unmap range: 0x000070f1aac05000 -- 0x0070f1aac06000")
            .words == Row{0x70f1aac05000, 0x70f1aac06000, 0, 0, 0, 0, 0, 0});
  CHECK(one("kvm_age_hva", "mmu notifier age hva: 0x10 -- 0x20").given == 0b11);
  CHECK(one("kvm_age_hva", "mmu notifier age hva: 0x10").given == 0b1);
  CHECK(one("kvm_test_age_hva", "mmu notifier test age hva: 0x10").words[0] ==
        0x10);
  CHECK(one("kvm_set_spte_hva", "mmu notifier set pte hva: 0x10").words[0] ==
        0x10);
  CHECK(one("kvm_age_page", "hva 10 gfn 2 level 1 YOUNG").words ==
        Row{0x10, 2, 1, 1, 0, 0, 0, 0});
  for (const char* name :
       {"kvm_try_async_get_page", "kvm_async_pf_repeated_fault"}) {
    CHECK(one(name, "gva = 0x1000, gfn = 0x1").words[1] == 1);
  }
  for (const char* name : {"kvm_async_pf_not_present", "kvm_async_pf_ready"}) {
    CHECK(one(name, "token 0x7 gva 0x8").words[0] == 7);
  }
  CHECK(one("kvm_async_pf_completed", "gva 0x8 address 0x9").words[1] == 9);
}

TEST_CASE("rings, the hardware's log and flushes by hypercall are read") {
  CHECK(one("kvm_dirty_ring_push",
            "ring 1: dirty 0x37f reset 0x1c0 slot 1 offset 0x37e (used 447)")
            .words == Row{1, 0x37f, 0x1c0, 1, 0x37e, 447, 0, 0});
  const Seen draft =
      one("kvm_dirty_ring_push",
          "ring 1: dirty 0x3 reset 0x1 slot 1 offset 0x3 ret 1 (used 2)");
  CHECK(draft.words == Row{1, 3, 1, 1, 3, 2, 1, 0});
  CHECK(one("kvm_dirty_ring_reset", "ring 1: dirty 0x380 reset 0x380 (used 0)")
            .words == Row{1, 0x380, 0x380, 0, 0, 0, 0, 0});
  CHECK(one("kvm_dirty_ring_exit", "vcpu 1").words[0] == 1);
  CHECK(one("kvm_pml_full", "vcpu 2: PML full").words[0] == 2);
  for (const char* name : {"hyperv_nested_flush_guest_mapping",
                           "hyperv_nested_flush_guest_mapping_range"}) {
    CHECK(one(name, "address space 12ab ret -5").words ==
          Row{0x12ab, 0ull - 5, 0, 0, 0, 0, 0, 0});
  }
  CHECK(one("kvm_rmp_fault",
            "vcpu 1 gpa 00000000abc pfn 0x9 error_code 0x5 rmp_level 1 "
            "psmash_ret -2")
            .words == Row{1, 0xabc, 9, 5, 1, 0ull - 2, 0, 0});
}

TEST_CASE("every event is in the list once, by name, with a field") {
  const std::vector<Event>& all = events();
  REQUIRE(all.size() > 35);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(!all[i].fields[0].empty());
    CHECK(event_number(all[i].name) == static_cast<int>(i));
    if (i > 0) CHECK(all[i - 1].name < all[i].name);
  }
  CHECK(event_number("kvm_fpu") == -1);
}

}  // namespace
}  // namespace mmu::observe::test
