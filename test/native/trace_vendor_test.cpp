// Whose error code a fault has: Intel's, AMD's, TDX' or a #PF's.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "trace/vendor.hpp"
#include "trace_rows.hpp"

namespace mmu::trace::test {
namespace {

std::string fault(const std::string& code, const std::string& gpa = "1000") {
  return "x-9 [000] 5.0: kvm_page_fault: address " + gpa + " error_code " +
         code + "\n";
}

std::string exit_for(const std::string& reason) {
  return "x-9 [000] 5.0: kvm_exit: reason " + reason + " rip 0x1 info 1 2\n";
}

const std::string kEntry = "x-9 [000] 5.0: kvm_entry: vcpu 0\n";
constexpr const char* kVirtual =
    "kvm_page_fault at a guest-virtual address (shadow paging)";

TEST_CASE("every code is decoded as whose it is") {
  struct Case {
    const char* code;
    unsigned access;
    const char* vendor;
  };
  for (const Case& each : std::vector<Case>{{"181", 1, "intel"},
                                            {"683", 3, "intel"},
                                            {"784", 4, "intel"},
                                            {"83", 3, "intel"},
                                            {"582", 2, "intel"},
                                            {"0", 1, "intel"},
                                            {"2", 2, "intel"},
                                            {"4", 1, "amd"},
                                            {"6", 2, "amd"},
                                            {"7", 2, "amd"},
                                            {"14", 4, "amd"},
                                            {"100000014", 4, "amd"},
                                            {"200000006", 2, "amd"},
                                            {"500000004", 1, "amd"},
                                            {"80000004", 1, "amd"}}) {
    CAPTURE(each.code);
    const Decoded out = decode_text(fault(each.code));
    REQUIRE(out.rows.size() == 1);
    CHECK(out.rows[0].access == each.access);
    CHECK(out.rows[0].error_code == std::stod(std::string("0x") + each.code));
    CHECK(out.totals.vendor.name == each.vendor);
  }
}

TEST_CASE("a code that nothing gives is refused where it stands") {
  for (const char* code : {"186", "180", "12", "100000012", "1000000000000002",
                           "10000", "4000000004"}) {
    const std::string text = fault(code);
    CAPTURE(code);
    const Decoded out = decode_text(text);
    CHECK(out.failed);
    CHECK(out.offset == text.rfind(' ') + 1);
  }
}

TEST_CASE(
    "a #PF code's address is virtual, so it is counted and not replayed") {
  const Decoded out = decode_text(
      exit_for("EXCEPTION_NMI") + fault("14") + kEntry + fault("14") +
      exit_for("EXCEPTION_NMI") + fault("0") + fault("182") + kEntry +
      fault("10") + fault("2", "ffff888012345678"));
  CAPTURE(out.expected);
  REQUIRE(out.rows.size() == 2);
  CHECK(out.rows[0].access == 4);  // AMD's, behind the entry
  CHECK(out.rows[1].error_code == 0x182);
  CHECK(out.totals.skipped.at(kVirtual) == 4);
  CHECK(out.totals.vendor.name == "shadow");
}

TEST_CASE("an exit says nothing of another thread's fault") {
  const Decoded out = decode_text(
      "y-8 [000] 5.0: kvm_exit: reason EXCEPTION_NMI rip 0x1\n" + fault("14"));
  CHECK(out.rows.size() == 1);
}

TEST_CASE("--vendor shadow makes accesses of what is no gpa for sure") {
  const std::string text =
      fault("14") + fault("0") + fault("7") + fault("2", "ffff888012345678");
  const Decoded out = decode_text(text, {}, {.vendor = "shadow"});
  REQUIRE(out.rows.size() == 3);
  CHECK(out.rows[0].access == 4);
  CHECK(out.rows[1].access == 1);
  CHECK(out.rows[2].access == 2);
  CHECK(out.totals.skipped.at(kVirtual) == 1);
}

TEST_CASE("the vendor that was said is believed, but for conclusive codes") {
  const Decoded amd = decode_text(fault("14") + fault("182") + fault("6"), {},
                                  {.vendor = "amd"});
  REQUIRE(amd.rows.size() == 3);
  CHECK(amd.totals.skipped.at("note: error code of intel") == 1);
  CHECK(amd.totals.vendor == VendorGuess{"amd", 1, "it was said"});
  const Decoded intel = decode_text(fault("14"), {}, {.vendor = "intel"});
  CHECK(intel.failed);
  CHECK(intel.expected.find("Intel EPT violation") != std::string::npos);
  CHECK(decode_text(fault("2"), {}, {.vendor = "amd"}).failed);
}

TEST_CASE("codes of another vendor than most are noted") {
  const Decoded out = decode_text(fault("182") + fault("100000006") +
                                  fault("181") + fault("784"));
  CHECK(out.rows.size() == 4);
  CHECK(out.totals.vendor.name == "intel");
  CHECK(out.totals.skipped.at("note: error code of amd") == 1);
  CHECK(out.totals.skipped.count("note: error code of intel") == 0);
}

TEST_CASE("what only shapes show is less certain than what exits say") {
  const double shaped = decode_text(fault("6")).totals.vendor.confidence;
  const double shown =
      decode_text(exit_for("npf") + fault("6")).totals.vendor.confidence;
  CHECK(shaped < shown);
  CHECK(shown < 1);
  CHECK(decode_text(exit_for("EPT_MISCONFIG")).totals.vendor.name == "intel");
  CHECK(decode_text("# nothing\n").totals.vendor.name.empty());
}

TEST_CASE("private faults of TDX are writes, and are said to be guesses") {
  const std::string text =
      fault("2", "1000") + fault("2", "2000") + fault("181", "800000003000");
  const std::string note = "note: private TDX fault, read or write unknown";
  const Decoded guessed = decode_text(text);
  CHECK(guessed.totals.vendor.name == "tdx");
  CHECK(guessed.rows[0].access == 2);
  CHECK(guessed.totals.skipped.at(note) == 2);
  const Decoded told = decode_text(text, {}, {.vendor = "tdx"});
  CHECK(told.rows == guessed.rows);
  CHECK(told.totals.skipped.at(note) == 2);
  // A write below the shared bit with a linear address is no TDX guest's.
  const Decoded plain = decode_text(text + fault("182", "1000"));
  CHECK(plain.totals.vendor.name == "intel");
  CHECK(plain.totals.skipped.count(note) == 0);
}

TEST_CASE("where a text is cut does not change whose it is") {
  std::string text;
  for (int i = 0; i < 30; ++i) {
    text += exit_for("EXCEPTION_NMI") + fault("14") + kEntry + fault("182") +
            fault("500000004") + fault("6") + fault("2");
  }
  const Decoded whole = decode_text(text);
  CHECK(whole.rows.size() == 120);
  for (const std::size_t chunk : {1, 7, 4096}) {
    CHECK(same_result(decode_text(text, {.chunk = chunk}), whole));
  }
}

TEST_CASE("vendors are listed, and no other is one") {
  std::vector<std::string_view> names;
  for (const FormatView& view : vendor_views()) names.push_back(view.name);
  CHECK(names ==
        std::vector<std::string_view>{"intel", "amd", "tdx", "shadow"});
  for (const std::string_view name : names) {
    CHECK(make_decoder("ftrace", {.vendor = name}) != nullptr);
  }
  CHECK(make_decoder("ftrace", {.vendor = "Intel"}) == nullptr);
  CHECK(make_decoder("ftrace", {.vendor = ""}) == nullptr);
}

}  // namespace
}  // namespace mmu::trace::test
