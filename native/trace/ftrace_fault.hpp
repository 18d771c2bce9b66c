// The fields of a kvm_page_fault event, in the two layouts that kernels print:
//
//   vcpu 0 rip 0xfff0 address 0x00000000fffffff0 error_code 0x184   (v6.1)
//   address fffffff0 error_code 184                                 (before)
//
// KVM: trace event kvm_page_fault. What its error code means is not known here.
#pragma once

#include <cstdint>
#include <string_view>

#include "trace/text_reader.hpp"

namespace mmu::trace {

struct Fault {
  std::uint64_t gpa = 0;  // a guest-virtual address under shadow paging
  std::uint64_t error_code = 0;
  std::uint64_t rip = 0;
  std::uint64_t vcpu = 0;  // below 2^16
  bool names_vcpu = false;
  // Where these two were read, for a refusal.
  const char* gpa_at = nullptr;
  const char* error_code_at = nullptr;
};

// What is wrong with the fields, if anything is.
Mismatch parse_fault(std::string_view fields, Fault& fault);

}  // namespace mmu::trace
