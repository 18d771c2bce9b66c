// The part of a machine that answers for its guest.
//
// None of it depends on the strategy that a machine is compiled for.
#pragma once

#include "core/guest/guest_calls.hpp"
#include "core/machine.hpp"

namespace mmu {

class GuestMachine : public Machine {
 public:
  std::optional<Error> set_guest_cpuid(unsigned vcpu,
                                       const GuestCpuid& cpuid) override {
    return mmu::set_guest_cpuid(mmu(), vcpu, cpuid);
  }
  std::optional<Error> set_guest_registers(unsigned vcpu,
                                           const GuestRegisters& registers,
                                           bool flags_alone) override {
    return mmu::set_guest_registers(mmu(), vcpu, registers, flags_alone);
  }
  std::optional<Error> load_guest_cr3(unsigned vcpu,
                                      std::uint64_t cr3) override {
    return mmu::load_guest_cr3(mmu(), vcpu, cr3);
  }
  std::optional<Error> set_nested_paging(unsigned vcpu,
                                         const NestedPaging& nested) override {
    return mmu::set_nested_paging(mmu(), vcpu, nested);
  }
  Result<GuestRegisters> guest_registers(unsigned vcpu) override {
    const Result<GuestVcpu*> found = guest_vcpu(mmu(), vcpu);
    if (!found) return found.error();
    return found.value()->registers;
  }
  std::optional<Error> address_by_gva(bool by_gva) override {
    return mmu::address_by_gva(mmu(), by_gva);
  }
  std::optional<GuestFault> guest_fault(unsigned vcpu) const override {
    const Guest* guest = mmu().guest.get();
    if (guest == nullptr || vcpu >= guest->vcpus.size()) return std::nullopt;
    return guest->vcpus[vcpu].last_fault;
  }
  std::optional<Error> write_guest_memory(
      std::uint64_t gpa, std::span<const std::byte> bytes) override {
    return mmu::write_guest_memory(mmu(), gpa, bytes);
  }
  std::optional<Error> read_guest_memory(
      std::uint64_t gpa, std::span<std::byte> bytes) const override {
    return mmu::read_guest_memory(mmu(), gpa, bytes);
  }
  Result<GuestTranslation> translate(
      unsigned vcpu, std::uint64_t address, std::uint64_t access,
      std::vector<GuestReference>* trail) override {
    return mmu::translate(mmu(), vcpu, address, access, trail);
  }
  std::optional<Error> translate_batch(
      unsigned vcpu, std::uint64_t access,
      const TranslationColumns& columns) override {
    return mmu::translate_batch(mmu(), vcpu, access, columns);
  }

 protected:
  virtual Mmu& mmu() = 0;
  virtual const Mmu& mmu() const = 0;
};

}  // namespace mmu
