// The kernel's interface, as its own header has it; and what that of an older
// system lacks, with the documented layout.
#pragma once

#if defined(__linux__) && defined(__x86_64__) && __has_include(<linux/kvm.h>)
#define MMU_HAS_KVM 1

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cstdint>

namespace mmu::kvm::uapi {

// Documentation/virt/kvm/api.rst of v6.18: 4.140, 4.142, 4.143.
struct Region2 {
  std::uint32_t slot;
  std::uint32_t flags;
  std::uint64_t guest_phys_addr;
  std::uint64_t memory_size;
  std::uint64_t userspace_addr;
  std::uint64_t guest_memfd_offset;
  std::uint32_t guest_memfd;
  std::uint32_t pad1;
  std::uint64_t pad2[14];
};
static_assert(sizeof(Region2) == 160);

struct CreateGuestMemfd {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t reserved[6];
};
static_assert(sizeof(CreateGuestMemfd) == 64);

struct PreFaultMemory {
  std::uint64_t gpa;
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t padding[5];
};
static_assert(sizeof(PreFaultMemory) == 64);

// What stands in front of an array without a length. The header's own
// structures are longer in C++, where their empty member takes a byte.
struct MsrsHead {
  std::uint32_t nmsrs;
  std::uint32_t pad;
};

struct CpuidHead {
  std::uint32_t nent;
  std::uint32_t padding;
};

struct StatisticHead {
  std::uint32_t flags;
  std::int16_t exponent;
  std::uint16_t size;
  std::uint32_t offset;
  std::uint32_t bucket_size;
};
static_assert(sizeof(StatisticHead) == 16);

inline constexpr unsigned long kSetRegion2 = _IOW(KVMIO, 0x49, Region2);
inline constexpr unsigned long kCreateGuestMemfd =
    _IOWR(KVMIO, 0xd4, CreateGuestMemfd);
inline constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, MsrsHead);
inline constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, CpuidHead);
inline constexpr unsigned long kPreFaultMemory =
    _IOWR(KVMIO, 0xd5, PreFaultMemory);

}  // namespace mmu::kvm::uapi

#endif
