// kvm_page_fault lines of tracefs text.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "trace_rows.hpp"
#include "trace_samples.hpp"

namespace mmu::trace::test {
namespace {

// A whole line around the given fields.
std::string fault(std::string_view fields,
                  std::string_view task = "CPU 0/KVM-2000") {
  return "  " + std::string(task) +
         "  [000] ..... 5.000001: kvm_page_fault: " + std::string(fields) +
         "\n";
}

DecodedRow only_row(std::string_view text) {
  const Decoded out = decode_text(text);
  CAPTURE(out.expected);
  REQUIRE(out.rows.size() == 1);
  CHECK(!out.failed);
  return out.rows[0];
}

void check_refused(const std::string& text, std::string_view at,
                   std::string_view expected) {
  CAPTURE(text);
  const std::string before = "# one\n# two\n";
  const Decoded out = decode_text(before + text);
  REQUIRE(out.failed);
  CHECK(out.rows.empty());
  CHECK(out.place == 3);
  CHECK(out.offset == before.size() + text.find(at));
  CAPTURE(out.expected);
  CHECK(out.expected.find(expected) != std::string::npos);
}

TEST_CASE("a line of the current layout becomes a row with every field") {
  CHECK(only_row(kNewLine) == DecodedRow{.gpa = 0x123456789,
                                         .error_code = 0x182,
                                         .time = 12.000345,
                                         .rip = 0xffffffff81234567,
                                         .vcpu = 1,
                                         .access = 2});
}

TEST_CASE("a line of the old layout takes the vCPU from the task") {
  CHECK(only_row(kOldLine) == DecodedRow{.gpa = 0x7654321,
                                         .error_code = 0x184,
                                         .time = 12.0004,
                                         .vcpu = 2,
                                         .access = 4});
}

TEST_CASE("a thread's name gives the vCPU away, a pid does not") {
  const std::vector<std::pair<std::string, unsigned>> known{
      {"CPU 7/TCG-1007", 7},  {"CPU 11/KVM-9", 11}, {"VCPU-3-7300", 3},
      {"fc_vcpu 2-500", 2},   {"kvm-vcpu-4-77", 4}, {"vcpu5-12", 5},
      {"CPU 6/KVM  6996", 6}, {"vcpu-1-5 (  4)", 1}};
  for (const auto& [task, vcpu] : known) {
    CAPTURE(task);
    const Decoded out = decode_text(fault("address 1000 error_code 181", task));
    REQUIRE(out.rows.size() == 1);
    CHECK(out.rows[0].vcpu == vcpu);
    CHECK(out.totals.skipped.at("note: vcpu by the task's name") == 1);
  }
  for (const char* task : {"<...>-7200", "qemu-system-x86-7", "CPU-7100",
                           "cpuhp/1-20", "CPU 70000/KVM-1"}) {
    CAPTURE(task);
    const Decoded out = decode_text(fault("address 1000 error_code 181", task));
    REQUIRE(out.rows.size() == 1);
    CHECK(out.rows[0].vcpu == 0);
    CHECK(out.totals.skipped.at("note: vcpu numbered by task") == 1);
  }
}

TEST_CASE("flag columns, padding and odd task names change nothing") {
  const std::string fields = "address 1000 error_code 181";
  for (const std::string& head :
       std::vector<std::string>{"kvm-1 [000] 5.000001: kvm_page_fault: ",
                                "kvm-1 [000] .... 5.000001: kvm_page_fault: ",
                                "kvm-1 [0] d..2. 5.000001: kvm_page_fault: ",
                                "a b-c [x] [1]-1 [127] ..... 5.000001: "
                                "kvm_page_fault: ",
                                "\tkvm-1\t[000]  5.000001:  kvm_page_fault:   ",
                                "kvm-1 (  12) [000] ..... 5.000001: "
                                "kvm_page_fault: ",
                                "kvm 1 [000] 5.000001000:    "
                                "kvm:kvm_page_fault: "}) {
    CAPTURE(head);
    const DecodedRow row = only_row(head + fields + "\n");
    CHECK(row.gpa == 0x1000);
    CHECK(row.time == 5.000001);
  }
}

TEST_CASE("CRLF, trailing blanks and blank lines are harmless") {
  const std::string fields = "vcpu 3 rip 0x0 address 0xABCdef error_code 0x781";
  const DecodedRow row = only_row(fault(fields));
  std::string line = fault(fields);
  line.pop_back();
  CHECK(only_row(line + "\r\n") == row);
  CHECK(only_row(line + "  \n") == row);
  CHECK(only_row("\n\r\n" + line + "\n\n") == row);
}

TEST_CASE("exit qualifications give access bits") {
  const std::vector<std::pair<std::string, unsigned>> cases{
      {"0", 1},   {"1", 1},   {"2", 2},   {"181", 1}, {"182", 2},
      {"184", 4}, {"18a", 2}, {"1aa", 2}, {"1ab", 3}, {"1bc", 4},
      {"083", 3}, {"683", 3}, {"784", 4}};
  for (const auto& [code, access] : cases) {
    CAPTURE(code);
    const std::string old = "address 1000 error_code " + code;
    const std::string current =
        "vcpu 0 rip 0x1 address 0x1000 error_code 0x" + code;
    CHECK(only_row(fault(old)).access == access);
    CHECK(only_row(fault(current)).access == access);
    CHECK(only_row(fault(old)).error_code == std::stod("0x" + code));
  }
}

TEST_CASE("a fault whose fields do not parse is refused at the field") {
  check_refused(fault("vcpu x rip 0x0 address 0x0 error_code 0x181"), "x rip",
                "decimal");
  check_refused(fault("vcpu 65536 rip 0x0 address 0x0 error_code 0x181"),
                "65536", "vCPU below 65536");
  check_refused(fault("vcpu 99999999999 rip 0x0 address 0x0 error_code 0x1"),
                "99999999999", "decimal");
  check_refused(fault("vcpu 1 address 0x0 error_code 0x181"), " address",
                "\" rip 0x\"");
  check_refused(fault("vcpu 1 rip 0x0 address 0xg error_code 0x181"), "g err",
                "hexadecimal");
  check_refused(
      fault("vcpu 1 rip 0x0 address 0x00000000000000001 error_code 0x181"),
      "00000000000000001", "16 digits");
  check_refused(fault("vcpu 1 rip 0x0 address 0x10000000000000 "
                      "error_code 0x181"),
                "10000000000000 ", "gpa below 2^52");
  check_refused(fault("address 0x1000 error_code 181"), "x1000", "error_code");
  check_refused(fault("address 1000 error_code 181z"), "z\n",
                "end of the line");
  check_refused(fault("gva 1000"), "gva", "address");
  check_refused("garbage kvm_page_fault: address 1000 error_code 181\n",
                "garbage", "timestamp");
}

void check_cut(std::string_view head, const std::string& cut) {
  CAPTURE(cut);
  const std::string text = std::string(head) + cut;
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    const Decoded out = decode_text(text, {.chunk = chunk});
    REQUIRE(out.failed);
    CHECK(out.rows.size() == 1);
    CHECK(out.place == 2);
    CHECK(out.offset == text.size());
    const bool named = cut.find("kvm_page_fault:") != std::string::npos;
    CHECK(out.expected == (named ? "the end of the line: the input stops "
                                   "inside a kvm_page_fault line"
                                 : "the rest of a line"));
  }
}

TEST_CASE("a fault's line without its end is refused, wherever it is cut") {
  const std::string perf_line =
      "  CPU 4/KVM  2004 [002] 5.000001:   kvm:kvm_page_fault: "
      "address 1000 error_code 182\n";
  const std::string dos_line = fault("address 1000 error_code 182\r");
  for (const std::string& line :
       {std::string(kNewLine), std::string(kOldLine), perf_line, dos_line}) {
    for (std::size_t size = 1; size < line.size(); ++size) {
      check_cut(kNewLine, line.substr(0, size));
    }
    CHECK(decode_text(std::string(kNewLine) + line).rows.size() == 2);
  }
}

TEST_CASE("a last line that is no fault needs no end") {
  for (const auto& [line, reason] :
       std::vector<std::pair<std::string, std::string>>{
           {"# the recorder's last word", "comment"},
           {"CPU 2 is empty", "header"},
           {" => kvm_mmu_zap_all", "stack trace"},
           {" kvm-1 [000] 1.000002: kvm_exit: vcpu 0", "kvm_exit"}}) {
    CAPTURE(line);
    const Decoded out = decode_text(std::string(kNewLine) + line);
    CHECK(!out.failed);
    CHECK(out.rows.size() == 1);
    CHECK(out.totals.skipped.at(reason) == 1);
  }
}

TEST_CASE("what is not a fault is counted by reason") {
  const Decoded out = decode_text(
      "# tracer: nop\n"
      "#\n"
      "cpus=4\n"
      "version = 7\n"
      "CPU 2 is empty\n"
      " kvm-1 [000] d..1. 1.000000: kvm_entry: vcpu 0, rip 0x0\n"
      " kvm-1 [000] d..1. 1.000001: kvm_entry: vcpu 0, rip 0x0\n"
      " kvm-1 [000] 1.000002: kvm:kvm_exit: vcpu 0\n"
      " kvm-1 [000] d..1. 1.000003: <stack trace>\n"
      " => kvm_mmu_zap_all\n"
      "\n"
      "what is this\n"
      " kvm-1 [000] d..1. 1.000004: no colon here\n"
      "# marker 1 count 5 at 1.000005\n");
  CHECK(!out.failed);
  CHECK(out.rows.empty());
  const auto expected = decltype(out.totals.skipped){
      {"comment", 2},     {"header", 3}, {"kvm_entry", 2},    {"kvm_exit", 1},
      {"stack trace", 2}, {"blank", 1},  {"unrecognised", 2}, {"marker", 1}};
  CHECK(out.totals.skipped == expected);
}

TEST_CASE("a clock without seconds gives time 0 and a note") {
  const Decoded out = decode_text(
      "kvm-1 [000] ..... 123456789: kvm_page_fault: "
      "vcpu 0 rip 0x0 address 0x1000 error_code 0x181\n");
  REQUIRE(out.rows.size() == 1);
  CHECK(out.rows[0].time == 0);
  CHECK(out.totals.skipped.at("note: timestamp not in seconds") == 1);
}

TEST_CASE("damaged event names do not grow the counts without bound") {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "k-1 [0] 1.0: event_" + std::to_string(i) + ": x\n";
  }
  text += "k-1 [0] 1.0: " + std::string(1000, 'e') + ": x\n";
  const Decoded out = decode_text(text);
  CHECK(out.totals.skipped.size() <= 257);
  CHECK(out.totals.skipped.at("other events") == 5001 - 256);
  const std::string long_name =
      "k-1 [0] 1.0: " + std::string(65, 'e') + ": x\n";
  CHECK(decode_text(long_name).totals.skipped.contains("other events"));
}

TEST_CASE("a line above 1 MiB is refused, also before its end is there") {
  const std::size_t limit = std::size_t{1} << 20;
  const std::string long_line(limit, 'x');
  CHECK(!decode_text(long_line + "\n").failed);
  for (const char* end : {"x\n", "x", "xxxxxxxxxxxxxx"}) {
    for (const std::size_t chunk : {std::size_t{65536}, SIZE_MAX}) {
      const std::string text = std::string(kNewLine) + long_line + end;
      const Decoded out = decode_text(text, {.chunk = chunk});
      REQUIRE(out.failed);
      CHECK(out.rows.size() == 1);
      CHECK(out.offset == kNewLine.size());
      CHECK(out.place == 2);
      CHECK(out.expected.find("1 MiB") != std::string::npos);
    }
  }
}

std::string mixed_text() {
  std::string text = "# tracer: nop\n";
  for (int i = 0; i < 400; ++i) {
    text += kNewLine;
    if (i % 3 == 0) text += kOldLine;
    if (i % 5 == 0) text += "CPU:1 [LOST 2 EVENTS]\n";
    if (i % 7 == 0) text += " kvm-1 [000] 1.0: kvm_exit: vcpu 0\r\n\n";
  }
  return text;
}

TEST_CASE("where a text is cut changes no batch") {
  for (const std::string& end : std::vector<std::string>{
           "", "kvm-1 [000] 1.0: kvm_page_fau",
           fault("address 1000 error_code 1").substr(0, 70)}) {
    const std::string text = mixed_text() + end;
    const Decoded whole = decode_text(text, {.batch = 64});
    CHECK(whole.rows.size() == 534);
    for (const std::size_t chunk : {1, 7, 4096}) {
      CAPTURE(chunk);
      const Decoded out = decode_text(text, {.chunk = chunk, .batch = 64});
      CHECK(same_result(out, whole));
    }
  }
}

TEST_CASE("a chunk shorter than its line is left for later") {
  const auto decoder = make_decoder("ftrace");
  Columns columns(4);
  const auto line = bytes_of(kNewLine);
  DecodeStep step =
      decoder->decode(line.first(line.size() - 1), false, columns.sink);
  CHECK(step.consumed == 0);
  CHECK(!step.failed);
  step = decoder->decode(line, false, columns.sink);
  CHECK(step.consumed == line.size());
  CHECK(columns.sink.count == 1);
}

}  // namespace
}  // namespace mmu::trace::test
