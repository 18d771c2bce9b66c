#include "kvm/live_vcpu.hpp"

#ifdef MMU_HAS_KVM

#include <cstring>

#include "kvm/ask.hpp"

namespace mmu::kvm {
namespace {

constexpr std::size_t kPageBytes = 4096;
// KVM_DIRTY_GFN_F_DIRTY and _RESET: who may touch an entry.
constexpr std::uint32_t kDirty = 1;
constexpr std::uint32_t kCollected = 2;

// A structure that ends in an array without a length, as bytes.
template <class Head, class Entry>
std::vector<std::uint8_t> packed(const Head& head,
                                 std::span<const Entry> entries) {
  std::vector<std::uint8_t> bytes(sizeof head + entries.size_bytes());
  std::memcpy(bytes.data(), &head, sizeof head);
  if (!entries.empty()) {
    std::memcpy(&bytes[sizeof head], entries.data(), entries.size_bytes());
  }
  return bytes;
}

kvm_cpuid_entry2 entry_of(const CpuidEntry& from) {
  kvm_cpuid_entry2 entry{};
  entry.function = from.function;
  entry.index = from.index;
  entry.flags = from.flags;
  entry.eax = from.eax;
  entry.ebx = from.ebx;
  entry.ecx = from.ecx;
  entry.edx = from.edx;
  return entry;
}

}  // namespace

Errno LiveVcpu::map_ring(std::uint64_t bytes) {
  ring_ = Mapping(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         file_.get(), KVM_DIRTY_LOG_PAGE_OFFSET * kPageBytes),
                  bytes);
  return ring_ ? 0 : errno;
}

Errno LiveVcpu::collect(std::uint32_t most, std::vector<RingEntry>& entries) {
  if (!ring_) return EINVAL;
  const std::span<kvm_dirty_gfn> all(static_cast<kvm_dirty_gfn*>(ring_.start()),
                                     ring_.bytes() / sizeof(kvm_dirty_gfn));
  while (most == 0 || entries.size() < most) {
    kvm_dirty_gfn& entry = all[next_ % all.size()];
    if (__atomic_load_n(&entry.flags, __ATOMIC_ACQUIRE) != kDirty) break;
    entries.push_back({entry.slot, entry.offset});
    __atomic_store_n(&entry.flags, kCollected, __ATOMIC_RELEASE);
    ++next_;
  }
  return 0;
}

Errno LiveVcpu::set_msr(std::uint32_t msr, std::uint64_t value) {
  uapi::MsrsHead head{};
  head.nmsrs = 1;
  kvm_msr_entry entry{};
  entry.index = msr;
  entry.data = value;
  const auto one = packed(head, std::span<const kvm_msr_entry>(&entry, 1));
  // It returns how many it took.
  const int taken = ask_for(file_.get(), uapi::kSetMsrs, one.data());
  if (taken < 0) return errno;
  return taken == 1 ? 0 : EINVAL;
}

Errno LiveVcpu::set_cpuid(std::span<const CpuidEntry> all) {
  std::vector<kvm_cpuid_entry2> entries;
  for (const CpuidEntry& each : all) entries.push_back(entry_of(each));
  uapi::CpuidHead head{};
  head.nent = static_cast<std::uint32_t>(entries.size());
  const auto bytes = packed(head, std::span<const kvm_cpuid_entry2>(entries));
  return ask(file_.get(), uapi::kSetCpuid2, bytes.data());
}

Errno LiveVcpu::registers(Registers& registers) const {
  kvm_sregs all{};
  if (const Errno error = ask(file_.get(), KVM_GET_SREGS, &all)) return error;
  registers = {.cr0 = all.cr0,
               .cr3 = all.cr3,
               .cr4 = all.cr4,
               .efer = all.efer,
               .is_code64 = all.cs.l != 0};
  return 0;
}

Errno LiveVcpu::set_registers(const Registers& registers) {
  kvm_sregs all{};
  if (const Errno error = ask(file_.get(), KVM_GET_SREGS, &all)) return error;
  all.cr0 = registers.cr0;
  all.cr3 = registers.cr3;
  all.cr4 = registers.cr4;
  all.efer = registers.efer;
  all.cs.l = registers.is_code64;
  return ask(file_.get(), KVM_SET_SREGS, &all);
}

Errno LiveVcpu::set_rflags(std::uint64_t rflags) {
  kvm_regs all{};
  if (const Errno error = ask(file_.get(), KVM_GET_REGS, &all)) return error;
  all.rflags = rflags;
  return ask(file_.get(), KVM_SET_REGS, &all);
}

Errno LiveVcpu::translate(std::uint64_t gva, Translation& translation) const {
  kvm_translation asked{};
  asked.linear_address = gva;
  const Errno error = ask(file_.get(), KVM_TRANSLATE, &asked);
  translation = {asked.valid != 0, asked.physical_address};
  return error;
}

Errno LiveVcpu::prefault(std::uint64_t gpa, std::uint64_t bytes,
                         std::uint64_t flags) {
  uapi::PreFaultMemory range{};
  range.gpa = gpa;
  range.size = bytes;
  range.flags = flags;
  return ask(file_.get(), uapi::kPreFaultMemory, &range);
}

}  // namespace mmu::kvm

#endif
