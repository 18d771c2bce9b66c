// Reading text of tracepoints: what makes rows, what is counted, and how the
// text may be cut.
#include <doctest/doctest.h>

#include "observed_rows.hpp"

namespace mmu::observe::test {
namespace {

const std::string kFault = line("kvm_page_fault", "address 1000 error_code 1");

TEST_CASE("however the text is cut, the rows are the same") {
  const std::string text =
      "# tracer: nop\r\n" + kFault + "\n" +
      line("kvm_exit", "reason npf rip 0x10 info 1 2") +
      "CPU:3 [LOST 29 EVENTS]\n" + line("kvm_entry", "vcpu x") +
      line("kvm_fpu", "load") + "### omitted: gfn 9..1fe level 1\n" +
      line("kvm_exit", "reason npg rip 0x10") + "cut";
  Observer whole;
  const std::vector<Seen> wanted = rows_of(text, whole, text.size(), 64);
  REQUIRE(wanted.size() == 5);
  CHECK(wanted[1].line == 4);
  for (const std::size_t piece : {1u, 7u, 61u}) {
    for (const std::size_t capacity : {1u, 2u, 64u}) {
      Observer observer;
      CHECK(rows_of(text, observer, piece, capacity) == wanted);
      CHECK(observer.totals().lines == 10);
      CHECK(observer.totals().bytes == text.size());
      CHECK(observer.totals().skipped == whole.totals().skipped);
    }
  }
}

TEST_CASE("what is no known event is counted by name") {
  Observer observer;
  const std::string text = line("kvm_fpu", "load") + line("kvm_fpu", "unload") +
                           "# tracer: nop\n\n => do_zap\ncpus=8\ngarbage\n" +
                           "vmm-1 [000] ..... 1.5: <stack trace>\n";
  CHECK(rows_of(text, observer, text.size(), 8).empty());
  const std::map<std::string, std::uint64_t, std::less<>> wanted{
      {"kvm_fpu", 2},     {"comment", 1}, {"blank", 1},
      {"stack trace", 2}, {"header", 1},  {"unrecognised", 1}};
  CHECK(observer.totals().skipped == wanted);
}

TEST_CASE(
    "a known event that cannot be read is counted, and the next is read") {
  Observer observer;
  const std::string text =
      kFault + line("kvm_page_fault", "address zz error_code 1") +
      line("kvm_page_fault", "address 1 error_code 1 extra") + kFault;
  CHECK(rows_of(text, observer, text.size(), 8).size() == 2);
  const Malformed& malformed = observer.totals().malformed.at("kvm_page_fault");
  CHECK(malformed.count == 2);
  CHECK(malformed.first_line == 2);
  CHECK(malformed.expected == "a hexadecimal number of 1 to 16 digits");
}

TEST_CASE("half a line at the end is no event") {
  Observer observer;
  const std::string text = kFault + kFault.substr(0, kFault.size() - 1);
  CHECK(rows_of(text, observer, text.size(), 8).size() == 1);
  CHECK(observer.totals().malformed.at("kvm_page_fault").expected ==
        "the end of the line");
}

TEST_CASE("a line that is too long to be one is passed over, once") {
  const std::string text = std::string(3u << 20, 'x') + "\n" + kFault;
  for (const std::size_t piece : {text.size(), std::size_t{1} << 19}) {
    Observer observer;
    const auto rows = rows_of(text, observer, piece, 8);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].line == 2);
    CHECK(observer.totals().skipped.at("unrecognised") == 1);
  }
}

TEST_CASE("lines that are missing make rows of their own") {
  const std::vector<Seen> rows = rows_of(
      "CPU:3 [LOST 29 EVENTS]\n"
      "# entries-in-buffer/entries-written: 205/2647   #P:40\n"
      "# entries-in-buffer/entries-written: 7/7   #P:40\n"
      "### omitted here: the same for gfn 9..1fe level 1\n"
      "### the rest was not copied (gfn 204..3ff level 1)\n....\n--\n");
  REQUIRE(rows.size() == 6);
  CHECK(rows[0].event == "lost");
  CHECK(rows[0].words[0] == 29);
  CHECK(rows[1].words[0] == 2442);
  CHECK(rows[2].event == "omitted");
  CHECK(rows[2].words[1] == 0x1fe);
  CHECK(rows[2].given == 0b111);
  for (const std::size_t row : {3u, 4u, 5u}) {
    CHECK(rows[row].event == "omitted");
    CHECK(rows[row].given == 0);
  }
}

TEST_CASE("perf's subsystem and trace-cmd's padding are no part of an event") {
  const std::string text =
      "  CPU 0/KVM  699876 [020] 18136.763705:     kvm:kvm_entry: vcpu 0\n"
      "  CPU 0/KVM-69 [020] 18136.76: kvm_entry:            vcpu 1\n"
      "  CPU 0/KVM-69 (  68) [020] 18.7: kvmmmu:kvm_entry: vcpu 2\n";
  const std::vector<Seen> rows = rows_of(text);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].thread == 699876);
  CHECK(rows[0].time == doctest::Approx(18136.763705));
  CHECK(rows[1].words[0] == 1);
  CHECK(rows[2].thread == 69);
}

TEST_CASE("a thread without a number is thread 0") {
  const std::string text = "  vmm [000] ..... 1.5: kvm_entry: vcpu 0\n";
  CHECK(rows_of(text).at(0).thread == 0);
}

TEST_CASE("an event in an envelope is read as on a line of its own") {
  const std::string text =
      "12481.879 qemu-system-x8/27004 kvm:kvm_entry:vcpu 3, rip 0x9\n";
  const std::vector<Seen> rows = rows_of(text);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].words[0] == 3);
  CHECK(rows[0].thread == 27004);
}

}  // namespace
}  // namespace mmu::observe::test
