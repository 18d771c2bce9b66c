// One VM at a time of the machine's own KVM, asked by ioctls.
//
// It does what it is asked and says what the kernel said; it knows no engine,
// no vector and no Node. No vCPU is ever run. Whatever could harm this process
// is refused before the kernel hears of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace mmu::kvm {

// 0, or the errno of the system.
using Errno = int;

struct Region {
  // A file that is open, but no guest_memfd.
  static constexpr std::int32_t kOtherFile = -2;

  std::uint32_t slot = 0;  // as_id << 16 | id
  std::uint32_t flags = 0;
  std::uint64_t gpa = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hva = 0;
  // By KVM_SET_USER_MEMORY_REGION, which has no file.
  bool is_old_ioctl = false;
  // Which guest_memfd of this VM, from 0; -1 for no file.
  std::int32_t memfd = -1;
  std::uint64_t memfd_offset = 0;
};

// What a caller's buffer holds: `prefix`, then `fill` for ever.
struct Bitmap {
  std::span<const std::uint8_t> prefix;
  std::uint8_t fill = 0;
};

struct RingEntry {
  std::uint32_t slot;
  std::uint64_t page;
};

struct Translation {
  bool is_valid;
  std::uint64_t address;
};

// The registers that decide how a guest's tables are walked.
struct Registers {
  std::uint64_t cr0, cr3, cr4, efer;
  bool is_code64;  // CS.L
};

struct CpuidEntry {
  std::uint32_t function, index, flags, eax, ebx, ecx, edx;
};

// The process' memory that slots may show: one mapping, zeros in a new VM.
inline constexpr std::uint64_t kMemoryStart = std::uint64_t{1} << 45;
inline constexpr std::uint64_t kMemoryBytes = std::uint64_t{1} << 30;

// How much of it the process may do; PROT_* by their meaning.
enum class Protection : std::uint8_t { kNone, kReadOnly, kReadWrite };

class LiveKvm {
 public:
  // ERR_UNSUPPORTED with what is missing: the device, the right to open it, a
  // system that has KVM.
  static Result<std::unique_ptr<LiveKvm>> open(const std::string& path);

  LiveKvm() = default;
  LiveKvm(const LiveKvm&) = delete;
  LiveKvm& operator=(const LiveKvm&) = delete;
  virtual ~LiveKvm() = default;

  // KVM_CHECK_EXTENSION, of the VM if there is one.
  virtual int extension(std::uint32_t capability) = 0;

  // Takes the place of the VM before. Without one, what follows is EBADF.
  virtual Errno create_vm(std::uint64_t type) = 0;
  // Every vCPU has a number, from 0, in the order of their making.
  virtual Errno create_vcpu(std::uint32_t id) = 0;
  virtual Errno enable_cap(std::uint32_t capability, std::uint32_t flags,
                           std::uint64_t arg0) = 0;
  virtual Errno set_region(const Region& region) = 0;
  virtual Errno create_memfd(std::uint64_t bytes, std::uint64_t flags) = 0;
  virtual Errno set_mmu_pages(std::uint64_t pages) = 0;

  // The bitmap's bytes, zeros behind; NULL for the buffer, and no bytes, if
  // `is_null`.
  virtual Errno dirty_log(std::uint32_t slot, bool is_null,
                          std::vector<std::uint8_t>& bits) = 0;
  virtual Errno clear_dirty_log(std::uint32_t slot, std::uint64_t first_page,
                                std::uint32_t pages,
                                const std::optional<Bitmap>& bitmap) = 0;
  // Up to `most` entries, all if 0. EINVAL without a ring.
  virtual Errno collect_ring(unsigned vcpu, std::uint32_t most,
                             std::vector<RingEntry>& entries) = 0;
  virtual Errno reset_rings(std::uint32_t& entries) = 0;

  virtual Errno set_msr(unsigned vcpu, std::uint32_t msr,
                        std::uint64_t value) = 0;
  virtual Errno set_cpuid(unsigned vcpu, std::span<const CpuidEntry> all) = 0;
  virtual Errno registers(unsigned vcpu, Registers& registers) = 0;
  virtual Errno set_registers(unsigned vcpu, const Registers& registers) = 0;
  virtual Errno set_rflags(unsigned vcpu, std::uint64_t rflags) = 0;
  virtual Errno translate(unsigned vcpu, std::uint64_t gva,
                          Translation& translation) = 0;
  virtual Errno prefault(unsigned vcpu, std::uint64_t gpa, std::uint64_t bytes,
                         std::uint64_t flags) = 0;

  // A statistic of the VM by KVM's name, nothing if there is none.
  virtual std::optional<std::uint64_t> statistic(const std::string& name) = 0;

  // Memory is [kMemoryStart, +kMemoryBytes): what lies outside is EFAULT, and
  // so is every access while protect() has closed a part.
  virtual Errno read_memory(std::uint64_t hva,
                            std::span<std::uint8_t> bytes) = 0;
  virtual Errno write_memory(std::uint64_t hva,
                             std::span<const std::uint8_t> bytes) = 0;
  virtual Errno protect(std::uint64_t hva, std::uint64_t bytes,
                        Protection protection) = 0;
  // All of it is readable and writable again.
  virtual Errno unprotect() = 0;
};

}  // namespace mmu::kvm
