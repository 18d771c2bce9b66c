// The two readings that a wrong bit would spoil in silence: hex digits, and
// access bits taken from an error code.
#include <doctest/doctest.h>

#include <cctype>
#include <random>
#include <string>

#include "trace/fault_code.hpp"
#include "trace/text_reader.hpp"

namespace mmu::trace {
namespace {

TEST_CASE("a byte is a hex digit if and only if C says so, at any place") {
  for (std::size_t place = 0; place < 16; ++place) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::string text = "09afAF1987fFeEdD";
      text[place] = static_cast<char>(byte);
      TextReader reader(text);
      std::uint64_t value = 0;
      const bool whole = !reader.hex(value).finish().mismatch();
      CAPTURE(place);
      CAPTURE(byte);
      // A blank at the end ends the number as well as it should.
      const bool blank = place == 15 && is_blank(static_cast<char>(byte));
      const bool digit = std::isxdigit(static_cast<int>(byte)) != 0;
      REQUIRE(whole == (digit || blank));
      if (digit) REQUIRE(value == std::stoull(text, nullptr, 16));
    }
  }
}

TEST_CASE("hex reads one to sixteen digits and leaves what follows") {
  std::mt19937_64 random(7);
  for (unsigned digits = 1; digits <= 16; ++digits) {
    std::string text;
    for (unsigned i = 0; i < digits; ++i) {
      text += "0123456789abcdefABCDEF"[random() % 22];
    }
    const std::string line = text + " 12345678";
    TextReader reader(line);
    std::uint64_t value = 0;
    CHECK(!reader.hex(value).mismatch());
    CHECK(value == std::stoull(text, nullptr, 16));
    CHECK(reader.left() == 9);
  }
  for (const char* bad : {"", " 1", "g", "00000000000000000"}) {
    const std::string_view text = bad;
    TextReader reader(text);
    std::uint64_t value = 0;
    CHECK(reader.hex(value).mismatch());
    CHECK(reader.mismatch().at == text.data());
  }
}

TEST_CASE("after the first mismatch a reader changes nothing more") {
  TextReader reader("12 zz 34");
  std::uint64_t first = 0;
  std::uint64_t second = 5;
  reader.decimal(first).literal(" yy ").decimal(second).finish();
  CHECK(first == 12);
  CHECK(second == 5);
  CHECK(reader.mismatch().describe() == "\" yy \"");
}

TEST_CASE("every qualification of 17 bits is an access or no EPT violation") {
  for (std::uint64_t value = 1; value < bit(17); ++value) {
    const std::uint8_t access = access_of_qualification(value);
    const bool read = (value & 1) != 0;
    const bool write = (value & 2) != 0;
    const bool fetch = (value & 4) != 0;
    const bool writable_only = (value & 0x18) == 0x10;
    const bool lone_fetch = !read && !write && (value & 0x80) != 0;
    const bool legal = !writable_only && (fetch ? lone_fetch : (read || write));
    CAPTURE(value);
    REQUIRE(access == (legal ? (value & 7) : 0));
  }
}

TEST_CASE("a read is PFERR's user bit, and other bits are refused") {
  CHECK(access_of_pferr(0x4) == kAccessRead);
  CHECK(access_of_pferr(0x3) == kAccessWrite);
  CHECK(access_of_pferr(0x10) == kAccessFetch);
  CHECK(access_of_pferr(0x100000004) == 0);
  CHECK(access_of_pferr(0xc) == 0);
  CHECK(access_of_pferr(0x0) == 0);
}

}  // namespace
}  // namespace mmu::trace
