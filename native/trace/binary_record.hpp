// A record of the captures' own format, as it lies in a file.
//
//   offset  0  u64  nanoseconds since the recorder started
//           8  u64  guest-physical address
//          16  u64  rip
//          24  u32  PFERR bits; in a marker, the number of pages changed
//          28  u16  vCPU
//          30  u16  flags
//
// All little endian. What markers are: binary_format.cpp.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mmu::trace {

static_assert(std::endian::native == std::endian::little,
              "records are read as they lie in memory");

inline constexpr double kNanosecondsPerSecond = 1e9;

struct BinaryRecord {
  std::uint64_t nanoseconds;
  std::uint64_t gpa;
  std::uint64_t rip;
  std::uint32_t error_code;
  std::uint16_t vcpu;
  std::uint16_t flags;

  // Flags 0-5 describe an access: MMIO, other memory, kernel rip, write to a
  // read-only page, touched again after a zap, same instruction as before.
  // They repeat what the replay finds out for itself, so only their range is
  // looked at.
  static constexpr unsigned kAccessFlags = 0x3f;
  static constexpr unsigned kMarkerFlag = 0x8000;

  static BinaryRecord load(const std::uint8_t* at) {
    BinaryRecord record;
    std::memcpy(&record, at, sizeof record);
    return record;
  }
  bool is_marker() const { return (flags & kMarkerFlag) != 0; }
  double seconds() const {
    return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
  }
};
static_assert(sizeof(BinaryRecord) == 32 &&
              offsetof(BinaryRecord, flags) == 30);

}  // namespace mmu::trace
