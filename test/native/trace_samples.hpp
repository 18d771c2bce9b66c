// Small inputs that several decoder tests share.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace mmu::trace::test {

// The documented record, written down a second time on purpose.
struct Record {
  std::uint64_t nanoseconds = 0;
  std::uint64_t gpa = 0;
  std::uint64_t rip = 0;
  std::uint32_t error_code = 0;
  std::uint16_t vcpu = 0;
  std::uint16_t flags = 0;
};
static_assert(sizeof(Record) == 32);

inline Record access_record(std::uint32_t error_code = 0x2,
                            std::uint64_t gpa = 0x1234567) {
  return {.nanoseconds = 1000,
          .gpa = gpa,
          .rip = 0xffffffff81000123,
          .error_code = error_code,
          .vcpu = 1,
          .flags = 4};
}

inline Record marker_record(std::uint16_t number, std::uint32_t changed = 0) {
  return {.nanoseconds = 2000,
          .error_code = changed,
          .flags = static_cast<std::uint16_t>(0x8000 | number)};
}

inline std::vector<std::uint8_t> bytes_of(const std::vector<Record>& records) {
  std::vector<std::uint8_t> bytes(records.size() * sizeof(Record));
  if (!bytes.empty()) std::memcpy(bytes.data(), records.data(), bytes.size());
  return bytes;
}

inline constexpr std::string_view kNewLine =
    "       CPU 1/KVM-2001    [003] d..1.    12.000345: kvm_page_fault: "
    "vcpu 1 rip 0xffffffff81234567 address 0x0000000123456789 "
    "error_code 0x182\n";
inline constexpr std::string_view kOldLine =
    "       CPU 2/KVM-2002    [001] ...1    12.000400: kvm_page_fault: "
    "address 7654321 error_code 184\n";

}  // namespace mmu::trace::test
