#include "core/vm_calls.hpp"

#include <algorithm>

#include "core/kernel_limits.hpp"
#include "core/ring_calls.hpp"

namespace mmu {
namespace {

// Numbers of KVM's interface.
constexpr std::uint32_t kManualProtect2 = 168;
constexpr std::uint32_t kRing = 192;
constexpr std::uint32_t kRingAcqRel = 223;
constexpr std::uint64_t kManual = 1;
constexpr std::uint64_t kInitiallySet = 2;

Error bad_cap(std::uint32_t cap, std::uint64_t arg0, std::string detail) {
  return {ErrorCode::kCapability,
          {{{"cap", cap}, {"arg0", arg0}}},
          std::move(detail)};
}

// Initially-set is an option of the first one.
std::optional<Error> set_manual_protect(Mmu& mmu, std::uint32_t flags,
                                        std::uint64_t arg0) {
  const std::uint64_t allowed =
      (arg0 & kManual) != 0 ? kManual | kInitiallySet : kManual;
  if (flags != 0 || (arg0 & ~allowed) != 0) {
    return bad_cap(kManualProtect2, arg0,
                   "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 takes no flags, and as "
                   "its argument 0, 1 or 3, got " +
                       number(arg0));
  }
  mmu.log = {(arg0 & kManual) != 0, (arg0 & kInitiallySet) != 0};
  return std::nullopt;
}

Error bad_vcpu(std::uint32_t id, std::uint64_t limit) {
  return {ErrorCode::kVcpu,
          {{{"vcpu", id}, {"count", limit}}},
          "expected a vCPU below " + std::to_string(limit) + ", got vCPU " +
              std::to_string(id)};
}

// Whatever a vCPU may want of memory, and what only has to be there: the parts
// that nobody looks for before the vCPU is counted.
std::optional<Error> make_vcpu_parts(Mmu& mmu, std::uint32_t number) {
  mmu.vcpu_ids.reserve(number + 1);
  mmu.vcpus.reserve(number + 1);
  std::optional<DirtyRing> ring;
  if (mmu.rings != nullptr) {
    mmu.rings->of.reserve(number + 1);
    Result<DirtyRing> made = make_ring(*mmu.rings);
    if (!made) return made.error();
    ring = std::move(made.value());
  }
  if (mmu.tlbs != nullptr) {
    if (auto error = mmu.tlbs->add()) return error;
  }
  if (ring) mmu.rings->of.push_back(std::move(*ring));
  return std::nullopt;
}

}  // namespace

// The size of a ring is 32 bits wide in KVM, and its flags are not looked at.
std::optional<Error> enable_cap(Mmu& mmu, std::uint32_t cap,
                                std::uint32_t flags, std::uint64_t arg0) {
  if (cap == kManualProtect2) return set_manual_protect(mmu, flags, arg0);
  const bool is_ring = cap == kRing || cap == kRingAcqRel;
  if (is_ring && mmu.slot_rules.kernel.has_dirty_ring) {
    return enable_rings(mmu, static_cast<std::uint32_t>(arg0));
  }
  return bad_cap(cap, arg0,
                 "expected a capability of dirty logging that this kernel has:"
                 " 168, 192 or 223, got " +
                     std::to_string(cap));
}

std::optional<Error> disable_quirks(Mmu& mmu, std::uint64_t mask) {
  constexpr std::uint32_t kDisableQuirks2 = 213;
  const std::uint64_t known = mmu.slot_rules.kernel.quirks;
  if ((mask & ~known) != 0) {
    return bad_cap(
        kDisableQuirks2, mask,
        "expected quirks among " + number(known) + ", got " + number(mask));
  }
  if ((mask & kQuirkSlotZapAll) != 0) mmu.slot_zap_all = false;
  return std::nullopt;
}

Result<std::uint32_t> create_vcpu(Mmu& mmu, std::uint32_t id) {
  const std::uint32_t limit = vcpu_ids_of(mmu.config.kernel);
  if (id >= limit) return bad_vcpu(id, limit);
  if (std::ranges::find(mmu.vcpu_ids, id) != mmu.vcpu_ids.end()) {
    return Error{ErrorCode::kVcpuExists, {{{"id", id}}}};
  }
  const auto number = static_cast<std::uint32_t>(mmu.vcpu_ids.size());
  if (auto error = make_vcpu_parts(mmu, number)) return *std::move(error);
  if (number != 0) mmu.vcpus.emplace_back();
  mmu.vcpus.back().flushes_before = mmu.flush.counts().served;
  mmu.vcpu_ids.push_back(id);
  mmu.config.vcpus = number + 1;
  mmu.flush.set_vcpus(number + 1);
  return number;
}

Result<std::int32_t> create_guest_memfd(Mmu& mmu, std::uint64_t bytes,
                                        std::uint64_t flags) {
  const KernelProfile& kernel = mmu.slot_rules.kernel;
  if (!kernel.has_guest_memfd) {
    return Error{ErrorCode::kUnsupported, {}, "this kernel has no guest_memfd"};
  }
  if ((flags & ~kernel.memfd_flags) != 0) {
    return Error{ErrorCode::kGuestMemfd,
                 {{{"flags", flags}, {"allowed", kernel.memfd_flags}}},
                 "guest_memfd flags " + number(flags) +
                     " have bits outside the allowed " +
                     number(kernel.memfd_flags)};
  }
  constexpr std::uint64_t kSign = bit(63);
  if (bytes == 0 || (bytes & kSign) != 0 || bytes % kPageSize != 0) {
    return Error{ErrorCode::kGuestMemfd,
                 {{{"bytes", bytes}}},
                 "expected a guest_memfd of a positive multiple of 0x1000 "
                 "bytes below 2^63, got " +
                     number(bytes)};
  }
  mmu.memfds.push_back(bytes);
  return static_cast<std::int32_t>(mmu.memfds.size() - 1);
}

}  // namespace mmu
