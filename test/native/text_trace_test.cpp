// The text of a line, and where it is kept.
#include "core/tracepoints/text_trace.hpp"

#include "core/tracepoints/text_buffer.hpp"
#include "traced.hpp"

using namespace mmu;
using namespace traced;

TEST_CASE("text that finds no room is counted, once it is taken") {
  TextBuffer buffer;
  REQUIRE(buffer.reserve(8));
  buffer.add("one");
  buffer.add("three");  // 4 + 6 bytes are more than there are
  buffer.add("o");      // nothing after a gap
  CHECK(buffer.take() == "one\nCPU:0 [LOST 2 EVENTS]\n");
  buffer.add("two");
  CHECK(buffer.take() == "two\n");
}

TEST_CASE("tracepoints that only pass on what they are told") {
  MachineConfig config = config_of();
  TextTrace trace(layout_of(TraceRelease::k616), config);
  REQUIRE(trace.reserve(1 << 16));
  const auto text = [&] {
    const std::string line = trace.take();
    return line.substr(line.find(": ") + 2);
  };
  trace.age_hva({0x70f1aac05000, 0x70f1aac06000});
  CHECK(text() ==
        "kvm_age_hva: mmu notifier age hva: 0x0070f1aac05000 -- "
        "0x0070f1aac06000\n");
  trace.test_age_hva(0x70f1aac05000);
  CHECK(text() ==
        "kvm_test_age_hva: mmu notifier test age hva: 0x0070f1aac05000\n");
  trace.dirty_ring_push({{1, 0x12, 0x10, 2}, 0x10003, 0x7f});
  CHECK(text() ==
        "kvm_dirty_ring_push: ring 1: dirty 0x12 reset 0x10 slot 65539 offset "
        "0x7f (used 2)\n");
  trace.dirty_ring_reset({1, 0x12, 0x12, 0});
  CHECK(text() ==
        "kvm_dirty_ring_reset: ring 1: dirty 0x12 reset 0x12 (used 0)\n");
  trace.dirty_ring_exit(3);
  CHECK(text() == "kvm_dirty_ring_exit: vcpu 3\n");
  trace.pml_full(2);
  CHECK(text() == "kvm_pml_full: vcpu 2: PML full\n");
  trace.try_async_get_page({0x5123, {5}});
  CHECK(text() == "kvm_try_async_get_page: gva = 0x5123, gfn = 0x5\n");
  trace.async_pf_repeated_fault({0x5123, {5}});
  CHECK(text() == "kvm_async_pf_repeated_fault: gva = 0x5123, gfn = 0x5\n");
  trace.async_pf_not_present({0x10, 0x5123});
  CHECK(text() == "kvm_async_pf_not_present: token 0x10 gva 0x5123\n");
  trace.async_pf_ready({0x10, 0x5123});
  CHECK(text() == "kvm_async_pf_ready: token 0x10 gva 0x5123\n");
}
