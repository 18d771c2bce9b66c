// Every layout of text: the same fault in each, whatever stands around it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "trace_rows.hpp"

namespace mmu::trace::test {
namespace {

struct Sample {
  const char* layout;
  std::string line;  // a write to 0x7fc0123000 at 5.000001 s, vCPU 3
  bool has_rip = false;
  unsigned vcpu = 3;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"no flags",
       "  CPU 3/KVM-77 [001] 5.000001: kvm_page_fault: "
       "address 7fc0123000 error_code 582\n"},
      {"four flags",
       "  CPU 3/KVM-77 [001] d..2 5.000001: kvm_page_fault: "
       "address 7fc0123000 error_code 582\n"},
      {"five flags",
       "  CPU 3/KVM-77    [001] ..... 5.000001: kvm_page_fault: "
       "vcpu 3 rip 0xfff0 address 0x0000007fc0123000 "
       "error_code 0x582\n",
       true},
      {"trace-cmd report",
       " CPU 3/KVM-77 [001] 5.000001: kvm_page_fault:"
       "       address 7fc0123000 error_code 582\n"},
      {"perf script",
       "     CPU 3/KVM    77 [001]     5.000001:      "
       "           kvm:kvm_page_fault: vcpu 3 rip 0xfff0 "
       "address 0x0000007fc0123000 error_code 0x582\n",
       true},
      {"perf trace",
       "5000.001 CPU 3/KVM/77 kvm:kvm_page_fault:"
       "address 7fc0123000 error_code 582\n"},
      {"bpftrace",
       "{\"type\": \"printf\", \"data\": \"kvm_page_fault: "
       "vcpu 3 rip 0xfff0 address 0x0000007fc0123000 "
       "error_code 0x582 time 5000001000\\n\"}\n",
       true},
      {"bpftrace, dense",
       "{\"type\":\"printf\",\"data\":\"kvm_page_fault: "
       "vcpu 3 rip 0xfff0 address 0x0000007fc0123000 "
       "error_code 0x582 time 5000001000\"}\n",
       true},
      {"a task with brackets",
       "  a [b] [1] -c-77 [001] ..... 5.000001: "
       "kvm_page_fault: vcpu 3 rip 0xfff0 "
       "address 0x0000007fc0123000 "
       "error_code 0x582\n",
       true},
  };
  return all;
}

TEST_CASE("the same fault is the same row in every layout") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.layout);
    const Decoded out = decode_text(sample.line);
    CAPTURE(out.expected);
    REQUIRE(out.rows.size() == 1);
    CHECK(out.rows[0] == DecodedRow{.gpa = 0x7fc0123000,
                                    .error_code = 0x582,
                                    .time = 5.000001,
                                    .rip = sample.has_rip ? 0xfff0u : 0u,
                                    .vcpu = sample.vcpu,
                                    .access = 2});
    CHECK(detect_format(bytes_of(sample.line)) == "ftrace");
  }
}

// Everything that may stand between faults, and what it is counted as.
const std::vector<std::pair<std::string, std::string>>& between() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {"# tracer: nop", "comment"},
      {"### cut here", "comment"},
      {"cpus=4", "header"},
      {"--", "mark of a cut"},
      {"....", "mark of a cut"},
      {"", "blank"},
      {" => __tdp_mmu_set_spte", "stack trace"},
      {"\tffffffffa0b1c2d3 kvm_mmu_page_fault+0x1c3 ([kvm])", "stack trace"},
      {" kvm-1 [000] .... 1.000000: <stack trace>", "stack trace"},
      {" a b-1 [000] 1.000000: sched_switch: x", "sched_switch"},
      {" kvm 1 [000] 1.000000:  kvmmmu:kvm_mmu_set_spte: gfn 0",
       "kvm_mmu_set_spte"},
      {"1.000 kvm/1 kvm:kvm_fpu:load", "kvm_fpu"},
      {"711132 fast_page_fault: vcpu 7 gva 20fe612",
       "unrecognised fast_page_fault"},
      {"  12 kvm_page_fault: address 1000 error_code 181",
       "unrecognised kvm_page_fault"},
      {"{\"type\": \"attached_probes\", \"data\": {\"probes\": 1}}",
       "bpftrace attached_probes"},
      {"{\"type\": \"printf\", \"data\": \"hello\\n\"}", "bpftrace printf"},
      {"what is this", "unrecognised"}};
  return all;
}

std::string mixed(const Sample& sample, const char* line_end) {
  std::string text;
  for (const auto& [line, reason] : between()) {
    text += line + line_end + sample.line;
  }
  return text;
}

TEST_CASE("what stands between faults is counted by reason") {
  std::map<std::string, std::uint64_t, std::less<>> expected;
  for (const auto& [line, reason] : between()) ++expected[reason];
  for (const char* line_end : {"\n", "\r\n"}) {
    const Decoded out = decode_text(mixed(samples()[2], line_end));
    CAPTURE(out.expected);
    CHECK(!out.failed);
    CHECK(out.rows.size() == between().size());
    CHECK(out.totals.skipped == expected);
  }
}

TEST_CASE("where a text of any layout is cut changes no batch and no count") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.layout);
    std::string text;
    for (int i = 0; i < 20; ++i) text += mixed(sample, "\r\n");
    const Decoded whole = decode_text(text, {.batch = 64});
    REQUIRE(!whole.failed);
    for (const std::size_t chunk : {1, 7, 4096}) {
      CHECK(
          same_result(decode_text(text, {.chunk = chunk, .batch = 64}), whole));
    }
  }
}

TEST_CASE("a cut tail of any layout is reported, at every place of the cut") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.layout);
    for (std::size_t size = 1; size < sample.line.size(); ++size) {
      const std::string text = sample.line + sample.line.substr(0, size);
      CAPTURE(size);
      const Decoded out = decode_text(text);
      CHECK(out.rows.size() == 1);
      CHECK(out.failed);
      CHECK(out.offset == text.size());
    }
  }
}

TEST_CASE("a last line that is no fault and has no end is noted") {
  const Decoded out =
      decode_text(samples()[0].line + " kvm-1 [000] 6.0: kvm_exit: vcpu 0");
  CHECK(!out.failed);
  CHECK(out.totals.skipped.at("note: last line has no end") == 1);
}

TEST_CASE("a fault of any layout that does not read is refused, with a place") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.layout);
    const std::size_t at = sample.line.find("address ") + 8;
    std::string line = sample.line;
    line[at] = 'x';
    const Decoded out = decode_text("# one\n" + line);
    CHECK(out.failed);
    CHECK(out.rows.empty());
    CHECK(out.place == 2);
    CHECK(out.offset >= 6);
    CHECK(out.offset <= 6 + at);
  }
}

TEST_CASE("a printed fault without its time is refused, not passed over") {
  const Decoded out = decode_text(
      "{\"type\": \"printf\", \"data\": \"kvm_page_fault: vcpu 3 rip 0x0 "
      "address 0x0000000000001000 error_code 0x182\\n\"}\n");
  CHECK(out.failed);
  CHECK(out.offset == 0);
}

TEST_CASE("lists of counts and JSON of other kinds are no trace") {
  CHECK(detect_format(bytes_of("12 foo: bar\n")).empty());
  CHECK(detect_format(bytes_of("{\"type\": 3}\n")).empty());
  CHECK(
      detect_format(bytes_of("{\"kind\": \"access\", \"data\": 3}\n")).empty());
  CHECK(detect_format(bytes_of("3 kvm_exit: reason x\n")) == "ftrace");
}

std::string old_fault(const std::string& task) {
  return task + " [000] 5.0: kvm_page_fault: address 1000 error_code 181\n";
}

TEST_CASE("a thread's vCPU is what its entries and exits name") {
  const Decoded out = decode_text(
      "x-9 [000] 5.0: kvm_entry: vcpu 7\n" + old_fault("x-9") +
      "CPU 1/KVM-8 [000] 5.0: kvm_exit: vcpu 4 reason npf rip 0x0\n" +
      old_fault("CPU 1/KVM-8") + old_fault("CPU 2/KVM-6"));
  REQUIRE(out.rows.size() == 3);
  CHECK(out.rows[0].vcpu == 7);
  CHECK(out.rows[1].vcpu == 4);
  CHECK(out.rows[2].vcpu == 2);
  CHECK(out.totals.skipped.at("note: vcpu by kvm_entry or kvm_exit") == 2);
  CHECK(out.totals.skipped.at("note: vcpu by the task's name") == 1);
}

TEST_CASE("threads without a vCPU are numbered in order, past known ones") {
  const Decoded out =
      decode_text("x-9 [000] 5.0: kvm_entry: vcpu 1\n" + old_fault("a-3") +
                  old_fault("b-5") + old_fault("a-3") + old_fault("<...>-6") +
                  old_fault("nopid"));
  std::vector<unsigned> vcpus;
  for (const DecodedRow& row : out.rows) vcpus.push_back(row.vcpu);
  CHECK(vcpus == std::vector<unsigned>{0, 2, 0, 3, 0});
  CHECK(out.totals.skipped.at("note: vcpu numbered by task") == 4);
  CHECK(out.totals.skipped.at("note: vcpu unknown") == 1);
}

TEST_CASE("a million threads are numbered no further than KVM has vCPUs") {
  std::string text;
  for (int i = 0; i < 70000; ++i) text += old_fault("a-" + std::to_string(i));
  const Decoded out = decode_text(text, {.batch = 70000});
  CHECK(out.rows.size() == 70000);
  CHECK(out.rows[4095].vcpu == 4095);
  CHECK(out.rows[4096].vcpu == 0);
  CHECK(out.totals.skipped.at("note: vcpu numbered by task") == 4096);
}

}  // namespace
}  // namespace mmu::trace::test
