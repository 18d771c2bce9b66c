// What a recorder lost: how much, and before which event.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "trace_rows.hpp"
#include "trace_samples.hpp"

namespace mmu::trace::test {
namespace {

std::string at_time(const std::string& time, const std::string& event) {
  return "CPU 0/KVM-9 [000] ..... " + time + ": " + event + "\n";
}

const std::string kFault =
    "kvm_page_fault: vcpu 0 rip 0x1 address 0x1000 error_code 0x181";

TEST_CASE("lost events are added up, in every recorder's words") {
  const std::vector<std::pair<std::string, std::uint64_t>> cases{
      {"CPU:3 [LOST 29 EVENTS]", 29},
      {"[LOST 4 EVENTS]", 4},
      {"LOST 5 EVENTS", 5},
      {"CPU:0 [LOST EVENTS]", 1},
      {"CPU:12 [6 EVENTS DROPPED]", 6},
      {"CPU:1 [EVENTS DROPPED]", 1},
      {"LOST 7 events!", 7},
      {"CPU 0/KVM 9 [001] 12.0: PERF_RECORD_LOST lost 8", 8},
      {"CPU 0/KVM 9 [001] 12.0: PERF_RECORD_LOST_SAMPLES lost 2", 2},
      {"{\"type\": \"lost_events\", \"data\": {\"events\": 9}}", 9},
      {"# entries-in-buffer/entries-written: 250/1300   #P:4", 1050},
      {"# entries-in-buffer/entries-written: 1/9000000001   #P:4", 9000000000}};
  std::string all;
  std::uint64_t sum = 0;
  std::vector<Gap> gaps;
  for (const auto& [line, lost] : cases) {
    CAPTURE(line);
    CHECK(decode_text(line + "\n").totals.lost == lost);
    gaps.push_back({gaps.size(), lost});
    all += line + "\r\n" + std::string(kNewLine);
    sum += lost;
  }
  const Decoded out = decode_text(all);
  CHECK(out.totals.lost == sum);
  CHECK(out.totals.gaps == gaps);
  CHECK(out.rows.size() == cases.size());
  CHECK(decode_text("CPU:3 [LOST 29 EVEN\n").totals.lost == 0);
  CHECK(decode_text("# entries-in-buffer/entries-written: 9/9 #P:4\n")
            .totals.gaps.empty());
}

TEST_CASE("losses before the same event are one gap") {
  const Decoded out =
      decode_text(std::string(kNewLine) +
                  "CPU:3 [LOST 29 EVENTS]\nCPU:1 [LOST 1 EVENTS]\n" +
                  std::string(kNewLine) + "CPU:1 [LOST 2 EVENTS]\n");
  CHECK(out.totals.gaps == std::vector<Gap>{{1, 30}, {2, 2}});
}

TEST_CASE("time that runs backwards is counted, with the event it precedes") {
  const Decoded out = decode_text(
      at_time("5.000002", kFault) + at_time("5.000002", kFault) +
      at_time("5.000001", kFault) + at_time("5.000003", "kvm_fpu: load") +
      at_time("5.000002", "kvm_fpu: load") + at_time("6.000000", kFault));
  CHECK(out.totals.backwards == 2);
  CHECK(out.totals.backwards_at == std::vector<std::uint64_t>{2, 3});
  CHECK(out.totals.lost == 0);
}

TEST_CASE("clocks of different precision are compared as seconds") {
  CHECK(
      decode_text(at_time("5.000002", kFault) + at_time("5.000001999", kFault))
          .totals.backwards == 1);
  CHECK(decode_text(at_time("5.000002", kFault) +
                    at_time("5.000002001", kFault) + at_time("7", kFault))
            .totals.backwards == 0);
}

TEST_CASE("of many places the first are named, and all are counted") {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "CPU:3 [LOST 2 EVENTS]\n" + at_time("9.0", kFault) +
            at_time("8.0", kFault);
  }
  const Decoded out = decode_text(text);
  CHECK(out.totals.lost == 600);
  CHECK(out.totals.gaps.size() == kMaxPlaces);
  CHECK(out.totals.backwards == 300);
  CHECK(out.totals.backwards_at.size() == kMaxPlaces);
  for (const std::size_t chunk : {1, 7, 4096}) {
    CHECK(same_result(decode_text(text, {.chunk = chunk}), out));
  }
}

}  // namespace
}  // namespace mmu::trace::test
