// The captures' own format: an array of 32-byte records (binary_record.hpp),
// without a header.
//
// They are in time order. A record whose top flag is set is a
// marker: the low bits then say which operation hit the whole VM, or, from 64
// on, which event kind it is whose range and access column follow:
//
//   offset  8  u64  where the range starts
//          16  u64  its length in bytes
//          24  u32  access column
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "core/address.hpp"
#include "core/vector_path.hpp"
#include "trace/binary_accesses.hpp"
#include "trace/binary_record.hpp"
#include "trace/fault_code.hpp"
#include "trace/format.hpp"
#include "trace/row.hpp"

namespace mmu::trace {
namespace {

using Record = BinaryRecord;

constexpr std::size_t kRecordBytes = sizeof(Record);

// Indexed by a marker's number; 0 is not one.
constexpr std::array<EventKind, 4> kMarkerKinds{
    EventKind::kAccess, EventKind::kZapAllFast, EventKind::kDirtyLogGet,
    EventKind::kEnd};

unsigned marker_number(const Record& record) {
  return record.flags & ~Record::kMarkerFlag & 0xffff;
}

// Marker kFirstKindMarker + n is event kind n. An access has a record.
constexpr unsigned kFirstKindMarker = 64;

bool names_kind(unsigned number) { return number >= kFirstKindMarker; }

const char* check_kind_marker(const Record& record, unsigned kind) {
  if (kind == 0 || kind >= kEventKindCount) {
    return "marker 1 (zap all), 2 (dirty-log round), 3 (end), or 64 and an "
           "event kind from 1 on";
  }
  // A range may end at the highest address that there is.
  if (!fits(record.gpa, kMaxAddressBits) ||
      record.rip > bit(kMaxAddressBits) - record.gpa) {
    return "a range that ends at or below 2^52";
  }
  return record.error_code <= kAccessMask ? nullptr
                                          : "an access column of 0 to 7";
}

// What a record should have been; null if it is fine.
const char* check_marker(const Record& record) {
  const unsigned number = marker_number(record);
  if (names_kind(number)) {
    return check_kind_marker(record, number - kFirstKindMarker);
  }
  if (number == 0 || number >= kMarkerKinds.size()) {
    return "marker 1 (zap all), 2 (dirty-log round) or 3 (end)";
  }
  return record.gpa == 0 ? nullptr : "gpa 0 in a marker";
}

const char* check_access(const Record& record) {
  if ((record.flags & ~Record::kAccessFlags) != 0) return "flags within 0x3f";
  if (!fits(record.gpa, kMaxAddressBits)) return "a gpa below 2^52";
  if (access_of_pferr(record.error_code) == 0) {
    return "an error code of bits 0x17 that reads (0x4), writes (0x2) or "
           "fetches (0x10)";
  }
  return nullptr;
}

const char* check(const Record& record) {
  return record.is_marker() ? check_marker(record) : check_access(record);
}

Row row_of_kind(const Record& record) {
  Row row;
  row.gpa = record.gpa;
  row.bytes = record.rip;
  row.time = record.seconds();
  row.vcpu = record.vcpu;
  row.kind = static_cast<EventKind>(marker_number(record) - kFirstKindMarker);
  row.access = static_cast<std::uint8_t>(record.error_code);
  return row;
}

Row row_of(const Record& record) {
  if (record.is_marker() && names_kind(marker_number(record))) {
    return row_of_kind(record);
  }
  const bool marker = record.is_marker();
  Row row;
  row.gpa = record.gpa;
  row.error_code = record.error_code;
  row.rip = record.rip;
  row.time = record.seconds();
  row.vcpu = record.vcpu;
  row.kind = marker ? kMarkerKinds[marker_number(record)] : EventKind::kAccess;
  row.access = marker ? std::uint8_t{0} : access_of_pferr(record.error_code);
  return row;
}

class BinaryDecoder final : public Decoder {
 public:
  DecodeStep decode(std::span<const std::uint8_t> chunk, bool last,
                    EventSink& sink) override {
    DecodeStep step;
    while (has_record(chunk, step, sink)) {
      take_blocks(chunk, step, sink);
      // What ended them is somewhere in a block.
      for (std::size_t i = 0; i < AccessBlock::kRecords; ++i) {
        if (!has_record(chunk, step, sink)) break;
        const Record record = Record::load(chunk.data() + step.consumed);
        if (const char* expected = check(record)) return fail(step, expected);
        append(sink, row_of(record));
        count(step, 1);
      }
    }
    const std::size_t rest = chunk.size() - step.consumed;
    if (!last || rest == 0 || full(sink)) return step;
    return fail_cut(step, kRecordBytes - rest);
  }

  const DecodeTotals& totals() const noexcept override { return totals_; }

 private:
  using Chunk = std::span<const std::uint8_t>;

  static bool has_record(Chunk chunk, const DecodeStep& step,
                         const EventSink& sink) {
    return !full(sink) && chunk.size() - step.consumed >= kRecordBytes;
  }

  void take_blocks(Chunk chunk, DecodeStep& step, EventSink& sink) {
    const std::size_t room =
        std::min((chunk.size() - step.consumed) / AccessBlock::kBytes,
                 (sink.capacity - sink.count) / AccessBlock::kRecords);
    const std::uint8_t* const at = chunk.data() + step.consumed;
    const std::size_t taken =
        on_path(path_, [=, &sink]() __attribute__((always_inline)) {
          std::size_t i = 0;
          for (; i < room; ++i) {
            const AccessBlock block(at + i * AccessBlock::kBytes);
            block.ask_ahead();
            if (!block.is_plain()) break;
            block.put(sink);
          }
          return i;
        });
    count(step, taken * AccessBlock::kRecords);
  }

  void count(DecodeStep& step, std::size_t records) {
    totals_.records += records;
    totals_.bytes += records * kRecordBytes;
    step.consumed += records * kRecordBytes;
  }

  // Every record so far made one row, so the row count is the record's index.
  DecodeStep& fail(DecodeStep& step, std::string expected) const {
    step.failed = true;
    step.error.code = ErrorCode::kTrace;
    step.error.values[0] = {"offset", totals_.bytes};
    step.error.values[1] = {"record", totals_.records};
    step.error.detail = std::move(expected);
    return step;
  }

  DecodeStep& fail_cut(DecodeStep& step, std::size_t missing) const {
    step.error.values[2] = {"missing", missing};
    return fail(step, "a whole record of 32 bytes, " + std::to_string(missing) +
                          " more before the end");
  }

  const VectorPath path_ = chosen_vector_path();
  DecodeTotals totals_;
};

// How many records detection looks at, and how many vCPUs it believes in:
// KVM's own limit (KVM: KVM_MAX_VCPUS, v6.16).
constexpr std::size_t kDetectRecords = 4;
constexpr std::uint16_t kDetectVcpus = 4096;

bool plausible(const Record& record, std::uint64_t not_before) {
  return check(record) == nullptr && record.vcpu < kDetectVcpus &&
         record.nanoseconds >= not_before;
}

// The first record must be plausible, and of the first few at most one may
// not be: a damaged file should be refused by its decoder, with the place,
// and not as an unknown format. Text never gets here: a gpa has a zero byte.
bool claims_binary(std::span<const std::uint8_t> head) noexcept {
  const std::size_t whole = head.size() / kRecordBytes;
  if (whole == 0 || !plausible(Record::load(head.data()), 0)) return false;
  std::uint64_t time = Record::load(head.data()).nanoseconds;
  std::size_t odd = 0;
  for (std::size_t i = 1; i < std::min(whole, kDetectRecords); ++i) {
    const Record record = Record::load(head.data() + i * kRecordBytes);
    if (plausible(record, time)) {
      time = record.nanoseconds;
    } else {
      ++odd;
    }
  }
  return odd <= 1;
}

const FormatEntry entry({
    .name = "binary",
    .summary = "32-byte fault records, as the captures have them",
    .claims = claims_binary,
    .make = [](const DecodeOptions&) -> std::unique_ptr<Decoder> {
      return std::make_unique<BinaryDecoder>();
    },
});

}  // namespace
}  // namespace mmu::trace
