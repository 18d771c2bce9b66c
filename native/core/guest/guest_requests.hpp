// What the outside may ask of a VM's guest: a part of machine.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/guest/registers.hpp"
#include "core/guest/translation.hpp"

namespace mmu {

class GuestRequests {
 public:
  virtual ~GuestRequests() = default;

  // What the guest's vCPU pages by, and the guest's memory: guest_calls.hpp.
  virtual std::optional<Error> set_guest_cpuid(unsigned vcpu,
                                               const GuestCpuid& cpuid) = 0;
  virtual std::optional<Error> set_guest_registers(
      unsigned vcpu, const GuestRegisters& registers, bool flags_alone) = 0;
  // The guest's own MOV to CR3.
  virtual std::optional<Error> load_guest_cr3(unsigned vcpu,
                                              std::uint64_t cr3) = 0;
  virtual std::optional<Error> set_nested_paging(
      unsigned vcpu, const NestedPaging& nested) = 0;
  virtual Result<GuestRegisters> guest_registers(unsigned vcpu) = 0;
  // From now on the addresses of accesses are the guest's own: their column
  // holds a GVA as a signed number, and a bit of the access column says whether
  // the code is at CPL 3 (access_gva.hpp).
  virtual std::optional<Error> address_by_gva(bool by_gva) = 0;
  // What the guest's tables refused of the vCPU's last access by GVA.
  virtual std::optional<GuestFault> guest_fault(unsigned vcpu) const = 0;
  virtual std::optional<Error> write_guest_memory(
      std::uint64_t gpa, std::span<const std::byte> bytes) = 0;
  virtual std::optional<Error> read_guest_memory(
      std::uint64_t gpa, std::span<std::byte> bytes) const = 0;
  // Where the guest's tables lead, as KVM_TRANSLATE asks: Accessed and Dirty
  // are set and logged. `access`: bits of a fault's error code. `trail`: takes
  // every reference to memory, where one is given.
  virtual Result<GuestTranslation> translate(
      unsigned vcpu, std::uint64_t address, std::uint64_t access,
      std::vector<GuestReference>* trail) = 0;
  // The same of every row, in order.
  virtual std::optional<Error> translate_batch(
      unsigned vcpu, std::uint64_t access,
      const TranslationColumns& columns) = 0;
};

}  // namespace mmu
