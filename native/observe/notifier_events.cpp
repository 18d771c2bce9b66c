// What the host's memory management tells KVM, and faults that wait for it.
#include "observe/event.hpp"

namespace mmu::observe {
namespace {

void read_unmap(Fields& in) {
  in.literal("mmu notifier unmap range: ").hex(0).literal(" -- ").hex(1);
}
// One address before 4.x, a range since.
void read_age(Fields& in) {
  in.literal("mmu notifier age hva: ").hex(0);
  if (in.take(" -- ")) in.hex(1);
}
void read_test_age(Fields& in) {
  in.literal("mmu notifier test age hva: ").hex(0);
}
void read_set(Fields& in) { in.literal("mmu notifier set pte hva: ").hex(0); }

void read_age_page(Fields& in) {
  in.literal("hva ").hex(0).literal(" gfn ").hex(1).literal(" level ");
  in.decimal(2).literal(" ");
  in.set_text(3, in.next_token());
}

void read_async(Fields& in) {
  in.literal("gva = ").hex(0).literal(", gfn = ").hex(1);
}
void read_token(Fields& in) {
  in.literal("token ").hex(0).literal(" gva ").hex(1);
}
void read_completed(Fields& in) {
  in.literal("gva ").hex(0).literal(" address ").hex(1);
}

const EventEntry unmap({.name = "kvm_unmap_hva_range",
                        .fields = {"start", "end"},
                        .read = read_unmap});
const EventEntry age({.name = "kvm_age_hva",
                      .fields = {"start", "end"},
                      .read = read_age});
const EventEntry test_age({.name = "kvm_test_age_hva",
                           .fields = {"start"},
                           .read = read_test_age});
const EventEntry set({.name = "kvm_set_spte_hva",
                      .fields = {"start"},
                      .read = read_set});
const EventEntry age_page({.name = "kvm_age_page",
                           .fields = {"start", "gfn", "level", "young"},
                           .read = read_age_page});
const EventEntry try_async({.name = "kvm_try_async_get_page",
                            .fields = {"address", "gfn"},
                            .read = read_async});
const EventEntry repeated({.name = "kvm_async_pf_repeated_fault",
                           .fields = {"address", "gfn"},
                           .read = read_async});
const EventEntry not_present({.name = "kvm_async_pf_not_present",
                              .fields = {"token", "address"},
                              .read = read_token});
const EventEntry ready({.name = "kvm_async_pf_ready",
                        .fields = {"token", "address"},
                        .read = read_token});
const EventEntry completed({.name = "kvm_async_pf_completed",
                            .fields = {"address", "hva"},
                            .read = read_completed});

}  // namespace
}  // namespace mmu::observe
