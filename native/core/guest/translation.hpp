// What a walk of a guest's tables comes to. Values.
//
// KVM: struct x86_exception, struct guest_walker (v6.16).
#pragma once

#include <cstddef>
#include <cstdint>

namespace mmu {

// Of a walk that fails. KVM: struct x86_exception.
struct GuestFault {
  // P, RSVD and PK say why; W, U and F what was asked.
  std::uint64_t error_code = 0;
  // As walked. Of a second level: the gpa, down to its page.
  std::uint64_t address = 0;
  // A second level's, and so no page fault of the guest: bits 2:0 of the exit
  // qualification are what was asked, 5:3 what its entries grant.
  bool nested = false;
  std::uint64_t qualification = 0;
};

struct GuestTranslation {
  enum class Ended : std::uint8_t {
    kMapped,
    kFault,
    // Paging is off, and the address is the one that stands for none.
    kNoAddress,
  };
  Ended ended = Ended::kMapped;
  // Of the leaf; 0 where paging is off.
  std::uint8_t level = 0;
  // kGrantsExec, kGrantsWrite, kGrantsUser. A clean page grants no W to who
  // reads, so that the first write is seen.
  std::uint8_t granted = 7;
  // With whatever alias bits the leaf carries.
  std::uint64_t gpa = 0;
  GuestFault fault{};
};

// One reference to memory, of either kind of table.
struct GuestReference {
  std::uint64_t gpa = 0;
  std::uint64_t entry = 0;
  std::uint8_t level = 0;
  bool is_second_level = false;
};

// Many walks of one vCPU, all with one access: addresses in, columns out.
struct TranslationColumns {
  const std::uint64_t* gva = nullptr;
  // Exact below 2^53, which only a guest without paging can exceed.
  double* gpa = nullptr;
  std::uint32_t* error_code = nullptr;
  std::uint8_t* ended = nullptr;
  std::uint8_t* level = nullptr;
  std::uint8_t* granted = nullptr;
  std::size_t count = 0;
};

}  // namespace mmu
