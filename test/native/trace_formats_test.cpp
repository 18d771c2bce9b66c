// The registry and the detection of formats.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "trace/format.hpp"
#include "trace_rows.hpp"
#include "trace_samples.hpp"

namespace mmu::trace::test {
namespace {

std::string_view detect(std::string_view head) {
  return detect_format(bytes_of(head));
}

std::string_view detect(const std::vector<Record>& records) {
  return detect_format(bytes_of(records));
}

TEST_CASE("formats are listed by name, each can be made, no other can") {
  const std::vector<FormatView> all = formats();
  REQUIRE(all.size() >= 2);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(!all[i].summary.empty());
    CHECK(make_decoder(all[i].name) != nullptr);
    if (i > 0) CHECK(all[i - 1].name < all[i].name);
  }
  CHECK(make_decoder("") == nullptr);
  CHECK(make_decoder("Binary") == nullptr);
}

TEST_CASE("one whole record is enough to know the binary format") {
  CHECK(detect(std::vector{access_record()}) == "binary");
  const auto bytes = bytes_of(std::vector{access_record()});
  CHECK(detect_format(std::span(bytes).first(31)).empty());
}

TEST_CASE("a damaged record among the first leaves a binary trace binary") {
  Record odd = access_record();
  odd.flags = 0x4000;
  CHECK(detect({access_record(), odd}) == "binary");
  CHECK(detect({access_record(), access_record(), odd, access_record()}) ==
        "binary");
  CHECK(detect({odd, access_record()}).empty());
  CHECK(detect({access_record(), odd, odd}).empty());
}

TEST_CASE("records that run backwards in time are no binary trace") {
  std::vector<Record> records(4, access_record());
  records[0].nanoseconds = 5000;
  CHECK(detect(records).empty());
}

TEST_CASE("zeros, ones, and nothing belong to no format") {
  CHECK(detect("").empty());
  CHECK(detect(std::string(4096, '\0')).empty());
  CHECK(detect(std::string(4096, '\xff')).empty());
  CHECK(detect("\n\n\n").empty());
  CHECK(detect("{\"schemaVersion\": 1}\n").empty());
}

TEST_CASE("text is known by its header or by one event of any kind") {
  CHECK(detect("# tracer: nop\n#\n") == "ftrace");
  CHECK(detect(kNewLine) == "ftrace");
  CHECK(detect("CPU:1 [LOST 3 EVENTS]\n" + std::string(kOldLine)) == "ftrace");
  CHECK(detect("a.out-1 [000] 1.000000: sched_switch: x\n") == "ftrace");
  CHECK(detect("# just a comment\nand prose [1] about: nothing\n").empty());
}

int claims(std::span<const std::uint8_t> head) {
  int count = 0;
  for (const FormatEntry* at = first_format(); at; at = at->next) {
    count += at->format.claims(head) ? 1 : 0;
  }
  return count;
}

TEST_CASE("no head is claimed by two formats, each sample by one") {
  CHECK(claims(bytes_of(kNewLine)) == 1);
  CHECK(claims(bytes_of(kOldLine)) == 1);
  CHECK(claims(bytes_of(std::vector{access_record()})) == 1);
  CHECK(claims(bytes_of(std::vector{marker_record(3)})) == 1);
  // Text whose second half is a record, and records followed by text.
  const auto record = bytes_of(std::vector{access_record()});
  std::vector<std::uint8_t> mixed(record);
  mixed.insert(mixed.end(), kNewLine.begin(), kNewLine.end());
  CHECK(claims(mixed) <= 1);
  mixed.assign(kNewLine.begin(), kNewLine.begin() + 128);
  mixed.insert(mixed.end(), record.begin(), record.end());
  CHECK(claims(mixed) <= 1);
}

}  // namespace
}  // namespace mmu::trace::test
