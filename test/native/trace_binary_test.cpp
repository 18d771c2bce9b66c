// The captures' 32-byte records.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "trace_rows.hpp"
#include "trace_samples.hpp"

namespace mmu::trace::test {
namespace {

Decoded decode(const std::vector<Record>& records, Cut cut = {}) {
  return decode_all("binary", bytes_of(records), cut);
}

TEST_CASE("an access record becomes a row with every field") {
  Record record = access_record(0x6, 0xfffffffffffff);
  record.nanoseconds = 1'500'001'000;
  record.vcpu = 65535;
  const Decoded out = decode({record});
  REQUIRE(out.rows.size() == 1);
  CHECK(out.rows[0] == DecodedRow{.gpa = 0xfffffffffffff,
                                  .error_code = 0x6,
                                  .time = 1.500001,
                                  .rip = 0xffffffff81000123,
                                  .vcpu = 65535,
                                  .access = 3});
  CHECK(out.totals.records == 1);
  CHECK(out.totals.bytes == 32);
  CHECK(out.totals.lost == 0);
  CHECK(out.totals.skipped.empty());
}

TEST_CASE("each recorded error code gives its access bits") {
  const std::vector<std::pair<std::uint32_t, unsigned>> cases{
      {0x2, 2}, {0x3, 2}, {0x4, 1},  {0x5, 1},
      {0x6, 3}, {0x7, 3}, {0x10, 4}, {0x11, 4}};
  for (const auto& [code, access] : cases) {
    CAPTURE(code);
    const Decoded out = decode({access_record(code)});
    REQUIRE(out.rows.size() == 1);
    CHECK(out.rows[0].access == access);
    CHECK(out.rows[0].error_code == code);
  }
}

TEST_CASE("markers become operations on the whole VM") {
  const Decoded out =
      decode({marker_record(1, 70000), marker_record(2, 12), marker_record(3)});
  REQUIRE(out.rows.size() == 3);
  CHECK(out.rows[0].kind == EventKind::kZapAllFast);
  CHECK(out.rows[1].kind == EventKind::kDirtyLogGet);
  CHECK(out.rows[2].kind == EventKind::kEnd);
  CHECK(out.rows[0].error_code == 70000);
  for (const DecodedRow& row : out.rows) {
    CHECK(row.gpa == 0);
    CHECK(row.bytes == 0);
    CHECK(row.access == 0);
  }
}

TEST_CASE("a marker from 64 on is an event of that kind, with its range") {
  for (unsigned kind = 1; kind < kEventKindCount; ++kind) {
    CAPTURE(kind);
    Record record = marker_record(static_cast<std::uint16_t>(64 + kind), 3);
    record.gpa = 0x7000;
    record.rip = 0x2000;
    record.vcpu = 5;
    const Decoded out = decode({record});
    REQUIRE(out.rows.size() == 1);
    CHECK(out.rows[0] == DecodedRow{.gpa = 0x7000,
                                    .bytes = 0x2000,
                                    .time = 2e-6,
                                    .vcpu = 5,
                                    .kind = static_cast<EventKind>(kind),
                                    .access = 3});
  }
}

void check_refused(Record bad, std::string_view expected) {
  const Decoded out = decode({access_record(), access_record(), bad});
  CHECK(out.rows.size() == 2);
  REQUIRE(out.failed);
  CHECK(out.offset == 64);
  CHECK(out.place == 2);
  CAPTURE(out.expected);
  CHECK(out.expected.find(expected) != std::string::npos);
}

TEST_CASE("a record that means nothing is refused with its place") {
  check_refused(access_record(0x2, std::uint64_t{1} << 52), "gpa below 2^52");
  check_refused(access_record(0x0), "error code");
  check_refused(access_record(0x1), "error code");
  check_refused(access_record(0xc), "error code");
  check_refused(marker_record(0), "marker");
  check_refused(marker_record(4), "marker");
  check_refused(marker_record(0x7fff), "marker");
  for (unsigned flag = 6; flag < 15; ++flag) {
    Record record = access_record();
    record.flags = static_cast<std::uint16_t>(1u << flag);
    check_refused(record, "flags");
  }
  check_refused(marker_record(64), "event kind");
  check_refused(marker_record(64 + kEventKindCount), "event kind");
  check_refused(marker_record(65, 8), "access column");
  Record beyond = marker_record(65);
  beyond.gpa = 0x1000;
  beyond.rip = (std::uint64_t{1} << 52) - 0xfff;
  check_refused(beyond, "range");
  beyond.rip = ~std::uint64_t{0};
  check_refused(beyond, "range");
  Record placed = marker_record(1);
  placed.gpa = 0x1000;
  check_refused(placed, "gpa 0");
}

TEST_CASE("a record cut at the end names what is missing") {
  std::vector<std::uint8_t> bytes =
      bytes_of({access_record(), access_record()});
  for (std::size_t rest = 1; rest < 32; ++rest) {
    const auto cut = std::span(bytes).first(32 + rest);
    const Decoded out = decode_all("binary", cut);
    CHECK(out.rows.size() == 1);
    REQUIRE(out.failed);
    CHECK(out.offset == 32);
    CHECK(out.place == 1);
    const std::string missing = ", " + std::to_string(32 - rest) + " more";
    CHECK(out.expected.find(missing) != std::string::npos);
  }
}

TEST_CASE("an empty binary trace has no rows and no error") {
  const Decoded out = decode({});
  CHECK(!out.failed);
  CHECK(out.rows.empty());
}

TEST_CASE("a sink without time and rip gets the six event columns") {
  const auto bytes = bytes_of({access_record()});
  Columns columns(1, false);
  const DecodeStep step =
      make_decoder("binary")->decode(bytes, true, columns.sink);
  CHECK(step.consumed == 32);
  CHECK(columns.row(0).gpa == 0x1234567);
}

TEST_CASE("a full sink stops the decoder at a record") {
  const auto bytes = bytes_of(std::vector<Record>(5, access_record()));
  const auto decoder = make_decoder("binary");
  Columns columns(2);
  DecodeStep step = decoder->decode(bytes, true, columns.sink);
  CHECK(step.consumed == 64);
  // Nothing fits: nothing is consumed, and that is no error.
  step = decoder->decode(std::span(bytes).subspan(64), true, columns.sink);
  CHECK(step.consumed == 0);
  CHECK(!step.failed);
}

std::vector<Record> random_records(std::size_t count) {
  std::mt19937_64 random(20240607);
  constexpr std::uint32_t codes[] = {0x2, 0x3, 0x4, 0x6, 0x7, 0x10};
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    Record record = access_record(codes[random() % 6], random() >> 12);
    record.nanoseconds = i * 1000;
    record.rip = random();
    record.vcpu = static_cast<std::uint16_t>(random());
    const auto kind = static_cast<std::uint16_t>(random() % 48);
    const bool marker = kind >= 1 && kind <= 3;
    records.push_back(marker ? marker_record(kind) : record);
  }
  return records;
}

TEST_CASE("where a binary trace is cut changes no batch") {
  const std::vector<Record> records = random_records(1001);
  const Decoded whole = decode(records, {.batch = 64});
  CHECK(whole.rows.size() == records.size());
  for (const std::size_t chunk : {1, 7, 31, 33, 4096}) {
    CAPTURE(chunk);
    const Decoded out = decode(records, {.chunk = chunk, .batch = 64});
    CHECK(out.batches == whole.batches);
    CHECK(out.rows == whole.rows);
    CHECK(out.totals.bytes == whole.totals.bytes);
  }
}

// Long runs of accesses; one record in `rare` is a marker, or a mistake in one
// bit or field.
std::vector<Record> mostly_accesses(std::mt19937_64& random, unsigned rare) {
  std::vector<Record> records = random_records(random() % 400);
  for (Record& record : records) {
    if (record.flags != 0) record = access_record(0x2, random() >> 12);
    record.flags = static_cast<std::uint16_t>(random() % 64);
    if (random() % rare != 0) continue;
    switch (random() % 4) {
      case 0:
        record = marker_record(static_cast<std::uint16_t>(random() % 70));
        break;
      case 1:
        record.gpa |= std::uint64_t{1} << (48 + random() % 16);
        break;
      case 2:
        record.error_code ^= 1u << random() % 32;
        break;
      default:
        record.flags ^= static_cast<std::uint16_t>(1u << random() % 16);
    }
  }
  return records;
}

TEST_CASE("records in blocks are what they are one by one") {
  for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const std::vector<Record> records =
        mostly_accesses(random, 20 + static_cast<unsigned>(random() % 800));
    const std::size_t batch = 1 + random() % 500;
    const Decoded expected = decode(records, {.chunk = 32, .batch = batch});
    const std::size_t chunk = 1 + random() % 20'000;
    REQUIRE(same_result(decode(records, {.chunk = chunk, .batch = batch}),
                        expected));
    REQUIRE(same_result(decode(records, {.batch = batch}), expected));
  }
}

}  // namespace
}  // namespace mmu::trace::test
