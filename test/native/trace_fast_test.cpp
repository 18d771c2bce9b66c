// The fast way through text against the slow one, and each way to scan
// against the plainest: over lines as recorders print them, and over the same
// lines with bytes changed, added, cut and repeated.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "trace/fast_fault.hpp"
#include "trace/line_scan.hpp"
#include "trace_rows.hpp"

namespace mmu::trace::test {
namespace {

using Random = std::mt19937_64;

std::string hex(std::uint64_t value, int width = 1) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%0*llx", width,
                static_cast<unsigned long long>(value));
  return text.data();
}

// One of `choices`.
std::string any(Random& random, std::vector<std::string> choices) {
  return choices[random() % choices.size()];
}

std::string number(Random& random) {
  return std::to_string(random() >> (random() % 64));
}

std::string a_fault(Random& random) {
  const std::uint64_t gpa = random() >> (12 + random() % 52);
  const std::uint64_t rip = random() >> (random() % 64);
  std::string line =
      any(random, {"  CPU 1/KVM-77", "a [b]-3", "x-1", "<...>-9 ( 12)"}) +
      any(random, {"    ", " "}) + "[" + std::to_string(random() % 300) + "] " +
      any(random, {"..... ", "d..2 ", "", "    ", "d..1.x ", "12345678 "}) +
      number(random) + any(random, {".000345", ".1", "", ".123456789"}) +
      ": kvm_page_fault: ";
  line += "vcpu " + std::to_string(random() % 8) + " rip 0x" + hex(rip) +
          " address 0x" + hex(gpa, random() % 4 ? 16 : 1) + " error_code 0x" +
          any(random, {"181", "182", "784", "2", "100000014", "F82", "14"});
  return line + any(random, {"\n", "\n", "\n", "\r\n", " \n"});
}

std::string a_line(Random& random) {
  switch (random() % 12) {
    case 0:
      return "x-1 [000] d..1. 5.1: kvm_entry: vcpu 1, rip 0x10\n";
    case 1:
      return "CPU:3 [LOST 29 EVENTS]\n";
    case 2:
      return "# [000] 1.0: kvm_page_fault: no\n";
    case 3:
      return " => kvm_mmu_zap_all\n";
    default:
      return a_fault(random);
  }
}

std::string some_text(Random& random) {
  std::string text;
  for (std::uint64_t left = random() % 40; left > 0; --left) {
    text += a_line(random);
  }
  return text;
}

// Bytes that mean something to a line, and some that do not.
char a_byte(Random& random) {
  constexpr std::string_view bytes = "\n\r\t []:.0x19afAFgG/-#{}\"\\v\x80\xff";
  return bytes[random() % bytes.size()];
}

void mutate(Random& random, std::string& text) {
  if (text.empty()) return;
  const std::size_t at = random() % text.size();
  switch (random() % 4) {
    case 0:
      text[at] = a_byte(random);
      break;
    case 1:
      text.insert(at, 1, a_byte(random));
      break;
    case 2:
      text.erase(at, 1 + random() % 3);
      break;
    default:
      text.insert(at, text.substr(at, random() % 20));
  }
}

void check_paths(const std::string& text) {
  CAPTURE(text);
  const Decoded slow = decode_text(text, {.batch = 16}, {.path = "scalar"});
  for (const ScanPath& path : scan_paths()) {
    CAPTURE(path.name);
    for (const std::size_t chunk :
         {std::size_t{1}, std::size_t{7}, std::size_t{4096}, SIZE_MAX}) {
      const Decoded out =
          decode_text(text, {.chunk = chunk, .batch = 16}, {.path = path.name});
      REQUIRE(same_result(out, slow));
    }
  }
}

TEST_CASE("every way through generated text gives the slow way's columns") {
  Random random(1);
  for (int i = 0; i < 300; ++i) check_paths(some_text(random));
}

TEST_CASE("every way through damaged text gives what the slow way gives") {
  Random random(2);
  for (int i = 0; i < 1500; ++i) {
    std::string text = some_text(random);
    const std::uint64_t changes = 1 + random() % 3;
    for (std::uint64_t left = changes; left > 0; --left) mutate(random, text);
    check_paths(text);
  }
}

TEST_CASE("a line damaged at each of its bytes is read alike") {
  Random random(3);
  const std::string line =
      " CPU 1/KVM-77 [001] d..1. 12.000345: kvm_page_fault: vcpu 12 rip "
      "0xffffffff81234567 address 0x0000000123456789 error_code 0x182\n";
  for (std::size_t at = 0; at < line.size(); ++at) {
    for (int tries = 0; tries < 4; ++tries) {
      std::string text = line + line;
      text[at] = a_byte(random);
      check_paths(text);
    }
    check_paths(line + line.substr(0, at));
    check_paths(line.substr(at) + line);
  }
}

// Of the lines that a kernel prints now, none may be left to the slow way: a
// fast way that accepts nothing equals it too.
TEST_CASE("the fast way takes every line of the current layout") {
  Random random(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string line =
        "  CPU 3/KVM-77    [001] ..... 5.000001: kvm_page_fault: vcpu " +
        std::to_string(random() % 65536) + " rip 0x" +
        hex(random() >> (random() % 64)) + " address 0x" +
        hex(random() >> 12, 16) + " error_code 0x" +
        any(random, {"181", "2", "500000004"}) + "\n";
    CAPTURE(line);
    for (const ScanPath& path : scan_paths()) {
      FastLine out;
      REQUIRE(
          read_fast(path.scan, line.data(), line.data() + line.size(), out));
      CHECK(out.end == line.data() + line.size());
    }
  }
}

TEST_CASE("every way to scan finds the same newline and bracket") {
  Random random(5);
  for (int i = 0; i < 20000; ++i) {
    // Of its own size, so that a byte read too far is found by ASan.
    std::vector<char> bytes(random() % 300);
    for (char& byte : bytes) {
      const std::uint64_t kind = random() % 120;
      byte = kind == 0 ? '\n' : kind == 1 ? '[' : 'x';
    }
    const char* const at = bytes.data();
    const LineMarks plain = scan_paths().back().scan(at, at + bytes.size());
    for (const ScanPath& path : scan_paths()) {
      const LineMarks marks = path.scan(at, at + bytes.size());
      REQUIRE(marks.newline == plain.newline);
      // Without a newline nobody looks at the bracket.
      if (plain.newline != nullptr) REQUIRE(marks.bracket == plain.bracket);
    }
  }
}

TEST_CASE("a way that is not there is the fastest, and scalar is none") {
  CHECK((choose_scan("scalar") == nullptr));
  CHECK((choose_scan("") == scan_paths().front().scan));
  CHECK((choose_scan("avx1024") == scan_paths().front().scan));
  CHECK((choose_scan("portable") == scan_paths().back().scan));
  CHECK(scan_paths().back().name == "portable");
}

}  // namespace
}  // namespace mmu::trace::test
