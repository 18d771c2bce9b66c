// Guest memory that KVM reads and writes itself: for the emulator, for
// paravirtual clocks, for Accessed bits of guest tables.
//
// KVM: kvm_read_guest(), kvm_write_guest() (v6.16).
#include <algorithm>

#include "core/dirty_mark.hpp"
#include "core/host_ops.hpp"
#include "core/vm_calls.hpp"

namespace mmu {
namespace {

// What one call may move: a bound on the answer, far above what KVM asks for.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

std::optional<Error> check_length(std::uint64_t bytes) {
  if (bytes <= kMostBytes) return std::nullopt;
  return Error{ErrorCode::kConfig,
               {{{"bytes", bytes}, {"max", kMostBytes}}},
               "bytes must be at most " + std::to_string(kMostBytes) +
                   ", got " + std::to_string(bytes)};
}

// Cut at page boundaries, in rising order, until a piece cannot be had.
// reach(gfn) answers with the slot that lets it be done, or null.
template <class Reach>
GuestTransfer transfer(std::uint64_t gpa, std::uint64_t bytes, Reach reach) {
  GuestTransfer done;
  done.pieces.reserve(bytes / kPageSize + 2);
  std::uint64_t offset = gpa % kPageSize;
  for (Gfn gfn{gpa >> kPageShift}; bytes != 0; ++gfn.value, offset = 0) {
    const std::uint64_t part = std::min(bytes, kPageSize - offset);
    const Memslot* slot = reach(gfn);
    if (slot == nullptr) {
      done.faulted = true;
      return done;
    }
    const std::uint64_t page = gfn.value - slot->range.start.value;
    done.pieces.push_back(
        {slot->hva.value + (page << kPageShift) + offset, part});
    done.bytes_done += part;
    bytes -= part;
  }
  return done;
}

}  // namespace

Result<GuestTransfer> guest_write(Mmu& mmu, std::uint16_t vcpu,
                                  std::uint64_t gpa, std::uint64_t bytes) {
  if (auto error = check_length(bytes)) return *std::move(error);
  if (vcpu >= mmu.vcpus.size()) {
    return Error{ErrorCode::kVcpu,
                 {{{"vcpu", vcpu}, {"count", mmu.vcpus.size()}}},
                 "expected a vCPU below " + std::to_string(mmu.vcpus.size()) +
                     ", got vCPU " + std::to_string(vcpu)};
  }
  return transfer(gpa, bytes, [&](Gfn gfn) -> const Memslot* {
    Memslot* slot = mmu.slots().find(gfn);
    if (slot == nullptr || slot->is_readonly()) return nullptr;
    if (reach_host(mmu, *slot, gfn) != HostState::kReadWrite) return nullptr;
    mark_page_dirty(mmu, *slot, gfn, vcpu);
    return slot;
  });
}

Result<GuestTransfer> guest_read(Mmu& mmu, std::uint64_t gpa,
                                 std::uint64_t bytes) {
  if (auto error = check_length(bytes)) return *std::move(error);
  return transfer(gpa, bytes, [&](Gfn gfn) -> const Memslot* {
    const Memslot* slot = mmu.slots().find(gfn);
    if (slot == nullptr) return nullptr;
    return allows_read(reach_host(mmu, *slot, gfn)) ? slot : nullptr;
  });
}

}  // namespace mmu
