// The registers of a guest's vCPU, and what follows from them.
#include <algorithm>

#include "core/flavour.hpp"
#include "core/guest/guest_calls.hpp"
#include "core/guest/set_registers.hpp"
#include "core/guest/walk.hpp"
#include "core/pferr.hpp"

namespace mmu {
namespace {

using Kind = NestedPaging::Kind;

bool has_guest_1g(const Mmu& mmu) { return mmu.slot_rules.kernel.has_guest_1g; }

// What a VMM would say to a guest of this VM.
GuestCpuid usual_cpuid(const Mmu& mmu) {
  const unsigned width =
      mmu.alias.space().width_without_aliases(mmu.config.address_bits);
  return {.maxphyaddr = static_cast<std::uint8_t>(width),
          .is_amd = mmu.config.host.vendor == Vendor::kAmd,
          .features = cpuid::kAll};
}

WalkRules rules_of(const Mmu& mmu, const GuestVcpu& of) {
  WalkRules rules = guest_walk_rules(
      of.registers, of.cpuid, mmu.alias.stolen_bits(), has_guest_1g(mmu));
  rules.pdptrs = of.rules.pdptrs;
  return rules;
}

// No alias bit has room in a nested table, so none is stolen.
WalkRules second_rules_of(const Mmu& mmu, const GuestVcpu& of) {
  if (of.nested.kind == Kind::kEpt) {
    return ept_walk_rules(of.nested.ept, of.cpuid);
  }
  // Keys are no part of nested tables. KVM: kvm_init_shadow_npt_mmu().
  GuestRegisters registers = of.nested.npt;
  registers.cr4 &= ~cr4::kPke;
  WalkRules rules = guest_walk_rules(registers, of.cpuid, 0, has_guest_1g(mmu));
  rules.pdptrs = of.second.pdptrs;
  return rules;
}

// Reads PAE's root entries. False where one cannot be read or is malformed: all
// stay as they were. KVM: load_pdptrs().
bool load_pdptrs(GuestTables tables, const GuestCpuid& cpuid,
                 const WalkRules* second, WalkRules& rules) {
  if (!rules.has_pdptrs) return true;
  const std::uint64_t reserved =
      (bits_from(cpuid.address_width(), 63) & ~rules.stolen) | bits(8, 5) |
      bits(2, 1);
  std::uint64_t table = rules.root & bits(31, 5);
  if (second != nullptr) {
    const GuestTranslation at = GuestWalker(tables).walk(
        *second, nullptr, table, pferr::kUser | pferr::kWrite);
    if (at.ended != GuestTranslation::Ended::kMapped) return false;
    table = at.gpa;
  }
  std::array<std::uint64_t, 4> entries{};
  for (unsigned i = 0; i < entries.size(); ++i) {
    const auto entry = tables.read<std::uint64_t>(table + i * 8);
    if (!entry || ((*entry & 1) != 0 && (*entry & reserved) != 0)) return false;
    entries[i] = *entry;
  }
  rules.pdptrs = entries;
  return true;
}

GuestTables tables_of(Mmu& mmu, unsigned vcpu, Marks marks = Marks::kLogged) {
  return {mmu, mmu.guest->memory, static_cast<std::uint16_t>(vcpu), marks};
}

Error unsupported(std::string detail) {
  return {ErrorCode::kUnsupported, {}, std::move(detail)};
}

bool has_aliases(const Mmu& mmu) { return mmu.alias.stolen_bits() != 0; }

bool is_32_bit(const GuestRegisters& registers) {
  return (registers.cr0 & cr0::kPaging) != 0 &&
         (registers.cr4 & cr4::kPae) == 0;
}

// Bits of an EPTP that say nothing, or something that there is not.
// KVM: nested_vmx_check_eptp().
std::optional<Error> check_eptp(const EptControls& ept,
                                const GuestCpuid& cpuid) {
  const std::uint64_t type = ept.eptp & 7;
  const std::uint64_t depth = (ept.eptp >> 3 & 7) + 1;
  const std::uint64_t reserved =
      bits_from(cpuid.address_width(), 63) | bits(11, 7);
  const bool is_good = (type == 0 || type == 6) && (depth == 4 || depth == 5) &&
                       (ept.eptp & reserved) == 0;
  if (is_good) return std::nullopt;
  return Error{ErrorCode::kRegisters,
               {{{"eptp", ept.eptp}}},
               "eptp " + number(ept.eptp) +
                   ": expected memory type 0 or 6, 4 or 5 levels, and a table "
                   "within the guest's " +
                   std::to_string(cpuid.address_width()) + " bits of address"};
}

std::optional<Error> check_nested(const Mmu& mmu, const NestedPaging& asked,
                                  const GuestCpuid& cpuid) {
  if (asked.kind == Kind::kNone) return std::nullopt;
  if (has_aliases(mmu)) {
    return unsupported(
        "tables of a nested guest have no room for alias bits (EOPNOTSUPP)");
  }
  if (asked.kind == Kind::kEpt) return check_eptp(asked.ept, cpuid);
  return check_registers(asked.npt, cpuid, mmu.slot_rules.kernel);
}

Error bad_cr3(std::uint64_t cr3, const std::string& why) {
  return {ErrorCode::kRegisters,
          {{{"cr3", cr3}}},
          "cr3 " + number(cr3) + ": " + why};
}

std::optional<Error> check_cr3(std::uint64_t cr3, const GuestCpuid& cpuid) {
  if ((cr3 & bits_from(cpuid.address_width(), 63)) == 0) return std::nullopt;
  return bad_cr3(cr3, "above the guest's " +
                          std::to_string(cpuid.address_width()) +
                          " bits of physical address (#GP)");
}

// Of what KVM asks whether roots may stay: it compares what it is given with
// what it has, though it may have taken less. KVM: __set_sregs_common().
bool are_control_registers_alike(const GuestRegisters& a,
                                 const GuestRegisters& b) {
  return a.cr0 == b.cr0 && a.cr3 == b.cr3 && a.cr4 == b.cr4 && a.efer == b.efer;
}

// KVM: kvm_mmu_reset_context().
void reset_mmu(Mmu& mmu, unsigned vcpu) {
  mmu.flush.begin_event(false);
  mmu.ops->unload_roots(vcpu);
}

}  // namespace

Result<GuestVcpu*> guest_vcpu(Mmu& mmu, unsigned vcpu) {
  const std::uint64_t count = mmu.vcpu_ids.size();
  if (vcpu >= count) {
    return Error{ErrorCode::kVcpu,
                 {{{"vcpu", vcpu}, {"count", count}}},
                 "expected a vCPU below " + std::to_string(count) +
                     ", got vCPU " + std::to_string(vcpu)};
  }
  if (mmu.guest == nullptr) mmu.guest = std::make_unique<Guest>();
  std::vector<GuestVcpu>& vcpus = mmu.guest->vcpus;
  vcpus.reserve(vcpu + 1);
  while (vcpus.size() <= vcpu) {
    vcpus.push_back({.cpuid = usual_cpuid(mmu),
                     .registers = {},
                     .nested = {},
                     .rules = {},
                     .second = {}});
  }
  return &vcpus[vcpu];
}

std::optional<Error> set_guest_cpuid(Mmu& mmu, unsigned vcpu,
                                     const GuestCpuid& cpuid) {
  Result<GuestVcpu*> found = guest_vcpu(mmu, vcpu);
  if (!found) return found.error();
  GuestVcpu& of = *found.value();
  of.cpuid = cpuid;
  of.rules = rules_of(mmu, of);
  if (of.second_level() != nullptr) of.second = second_rules_of(mmu, of);
  reset_mmu(mmu, vcpu);
  return std::nullopt;
}

std::optional<Error> set_guest_registers(Mmu& mmu, unsigned vcpu,
                                         const GuestRegisters& asked,
                                         bool flags_alone) {
  Result<GuestVcpu*> found = guest_vcpu(mmu, vcpu);
  if (!found) return found.error();
  GuestVcpu& of = *found.value();
  if (flags_alone) {
    of.registers.rflags = asked.rflags;
    of.registers.pkru = asked.pkru;
    of.rules = rules_of(mmu, of);
    return std::nullopt;
  }
  const KernelProfile& kernel = mmu.slot_rules.kernel;
  if (auto error = check_registers(asked, of.cpuid, kernel)) return error;
  const GuestRegisters taken = as_taken(asked, kernel);
  if (has_aliases(mmu) && is_32_bit(taken)) {
    return unsupported(
        "32-bit page tables have no room for alias bits (EOPNOTSUPP)");
  }
  const bool keeps_roots = are_control_registers_alike(asked, of.registers);
  of.registers = taken;
  of.rules = rules_of(mmu, of);
  load_pdptrs(tables_of(mmu, vcpu), of.cpuid, of.second_level(), of.rules);
  if (!keeps_roots) reset_mmu(mmu, vcpu);
  return std::nullopt;
}

// The registers are as before unless the whole of it can be done.
std::optional<Error> load_guest_cr3(Mmu& mmu, unsigned vcpu,
                                    std::uint64_t cr3) {
  Result<GuestVcpu*> found = guest_vcpu(mmu, vcpu);
  if (!found) return found.error();
  GuestVcpu& of = *found.value();
  if (auto error = check_cr3(cr3, of.cpuid)) return error;
  GuestVcpu next = of;
  next.registers.cr3 = cr3;
  next.rules = rules_of(mmu, next);
  if (!load_pdptrs(tables_of(mmu, vcpu), next.cpuid, next.second_level(),
                   next.rules)) {
    return bad_cr3(cr3, "a root entry of PAE there is malformed (#GP)");
  }
  const bool is_other = cr3 != of.registers.cr3;
  of = next;
  mmu.flush.begin_event(true);
  if (is_other) mmu.ops->switch_root(vcpu);
  return std::nullopt;
}

std::optional<Error> set_nested_paging(Mmu& mmu, unsigned vcpu,
                                       const NestedPaging& asked) {
  Result<GuestVcpu*> found = guest_vcpu(mmu, vcpu);
  if (!found) return found.error();
  GuestVcpu& of = *found.value();
  if (auto error = check_nested(mmu, asked, of.cpuid)) return error;
  of.nested = asked;
  if (of.second_level() == nullptr) return std::nullopt;
  of.second = second_rules_of(mmu, of);
  load_pdptrs(tables_of(mmu, vcpu), of.cpuid, nullptr, of.second);
  return std::nullopt;
}

std::optional<Error> address_by_gva(Mmu& mmu, bool by_gva) {
  if (mmu.guest == nullptr) mmu.guest = std::make_unique<Guest>();
  mmu.guest->is_addressed_by_gva = by_gva;
  return std::nullopt;
}

Result<GuestTranslation> translate(Mmu& mmu, unsigned vcpu,
                                   std::uint64_t address, std::uint64_t access,
                                   std::vector<GuestReference>* trail) {
  Result<GuestVcpu*> found = guest_vcpu(mmu, vcpu);
  if (!found) return found.error();
  GuestTables tables = tables_of(mmu, vcpu);
  const GuestVcpu& of = *found.value();
  return GuestWalker(tables, trail)
      .walk(of.rules, of.second_level(), address, access);
}

GuestTranslation translate_unlogged(Mmu& mmu, unsigned vcpu,
                                    std::uint64_t address, std::uint64_t access,
                                    std::vector<GuestReference>& trail) {
  GuestTables tables = tables_of(mmu, vcpu, Marks::kUnlogged);
  const GuestVcpu& of = mmu.guest->vcpus[vcpu];
  return GuestWalker(tables, &trail)
      .walk(of.rules, of.second_level(), address, access);
}

}  // namespace mmu
