// The fields of a kvm_page_fault event, in the two layouts that kernels print:
//
//   vcpu 0 rip 0xfff0 address 0x00000000fffffff0 error_code 0x184   (v6.1)
//   address fffffff0 error_code 184                                 (before)
//
// KVM: trace event kvm_page_fault. Knows Intel's error codes only.
#pragma once

#include <cstdint>
#include <string_view>

#include "trace/text_reader.hpp"

namespace mmu::trace {

struct Fault {
  std::uint64_t gpa = 0;
  std::uint64_t error_code = 0;
  std::uint64_t rip = 0;
  std::uint64_t vcpu = 0;  // below 2^16
  bool names_vcpu = false;
  std::uint8_t access = 0;
};

// What is wrong with the fields, if anything is.
Mismatch parse_fault(std::string_view fields, Fault& fault);

}  // namespace mmu::trace
