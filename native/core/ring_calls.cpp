#include "core/ring_calls.hpp"

#include <bit>

#include "core/flavour.hpp"
#include "core/memslot_family.hpp"
#include "core/pml_log.hpp"

namespace mmu {
namespace {

constexpr std::uint64_t kMostBytes =
    DirtyRing::kMostEntries * DirtyRing::kEntryBytes;
constexpr int kWindow = 64;

Error bad_ring(std::uint64_t bytes, const std::string& expected) {
  return {
      ErrorCode::kCapability,
      {{{"bytes", bytes}}},
      "a dirty ring " + expected + ", got " + std::to_string(bytes) + " bytes"};
}

bool uses_pml(const MachineConfig& config) {
  return config.host.pml && config.host.ad_bits &&
         config.host.vendor == Vendor::kIntel;
}

// Pages that were collected one near the other are re-armed together.
// KVM: kvm_dirty_ring_reset(), kvm_reset_dirty_gfn().
class RearmWindow {
 public:
  explicit RearmWindow(Mmu& mmu) : mmu_(mmu) {}

  void add(const DirtyRingEntry& entry) {
    if (mask_ != 0 && extend(entry)) return;
    rearm();
    first_ = entry;
    mask_ = 1;
  }

  // Entries of a slot that is gone, or that has shrunk, have nothing to re-arm.
  void rearm() {
    if (mask_ == 0) return;
    Memslot* slot =
        mmu_.slot_sets[slot_as(first_.slot)].by_id(slot_id(first_.slot));
    const std::uint64_t last =
        first_.page + static_cast<unsigned>(std::bit_width(mask_)) - 1;
    if (slot != nullptr && last < slot->range.size()) {
      for_each_member(*slot, [&](Memslot& one) {
        mmu_.ops->rearm(one, {one.range.start.value + first_.page}, mask_);
      });
    }
    mask_ = 0;
  }

 private:
  bool extend(const DirtyRingEntry& entry) {
    if (entry.slot != first_.slot) return false;
    const auto delta = static_cast<std::int64_t>(entry.page - first_.page);
    if (delta >= 0 && delta < kWindow) {
      mask_ |= bit(static_cast<unsigned>(delta));
      return true;
    }
    if (delta >= 0 || delta <= -kWindow) return false;
    // Backwards only while no page falls off the end.
    const auto back = static_cast<unsigned>(-delta);
    if (mask_ << back >> back != mask_) return false;
    mask_ = mask_ << back | 1;
    first_ = entry;
    return true;
  }

  Mmu& mmu_;
  DirtyRingEntry first_;
  std::uint64_t mask_ = 0;
};

}  // namespace

std::optional<Error> enable_rings(Mmu& mmu, std::uint32_t bytes) {
  const std::uint64_t reserved = DirtyRing::reserved(uses_pml(mmu.config));
  if (!std::has_single_bit(bytes)) {
    return bad_ring(bytes, "is a power of two long");
  }
  if (bytes < kPageSize || bytes < reserved * DirtyRing::kEntryBytes) {
    return bad_ring(bytes,
                    "is at least a page long, and longer than what is "
                    "reserved of it");
  }
  if (bytes > kMostBytes) {
    return Error{ErrorCode::kRingTooLarge,
                 {{{"bytes", bytes}, {"max", kMostBytes}}}};
  }
  if (mmu.rings != nullptr) return bad_ring(bytes, "is enabled once");
  if (!mmu.vcpu_ids.empty()) {
    return bad_ring(bytes, "is enabled before there are vCPUs");
  }
  mmu.rings = std::make_unique<DirtyRings>(
      DirtyRings{bytes / DirtyRing::kEntryBytes, reserved, {}});
  return std::nullopt;
}

Result<DirtyRing> make_ring(const DirtyRings& rings) {
  return DirtyRing::create(rings.entries, rings.reserved);
}

Result<std::vector<DirtyRingEntry>> collect_ring(Mmu& mmu, std::uint32_t vcpu,
                                                 std::uint64_t most) {
  if (mmu.rings == nullptr) return Error{ErrorCode::kNoDirtyRing};
  std::vector<DirtyRing>& rings = mmu.rings->of;
  if (vcpu < rings.size()) return rings[vcpu].collect(most);
  return Error{ErrorCode::kVcpu,
               {{{"vcpu", vcpu}, {"count", rings.size()}}},
               "expected a vCPU below " + std::to_string(rings.size()) +
                   ", got vCPU " + std::to_string(vcpu)};
}

Result<std::uint64_t> reset_rings(Mmu& mmu) {
  if (mmu.rings == nullptr) return Error{ErrorCode::kNoDirtyRing};
  drain_pml(mmu);
  std::uint64_t entries = 0;
  for (DirtyRing& ring : mmu.rings->of) {
    RearmWindow window(mmu);
    entries +=
        ring.reset([&](const DirtyRingEntry& entry) { window.add(entry); });
    window.rearm();
  }
  if (entries != 0) mmu.flush.all();
  return entries;
}

bool empty_full_ring(Mmu& mmu, std::uint16_t vcpu) {
  DirtyRing& ring = mmu.rings->of[vcpu];
  if (!ring.is_soft_full()) return false;
  ring.collect_all();
  (void)reset_rings(mmu);
  return true;
}

bool collect_and_reset_rings(Mmu& mmu) {
  if (mmu.rings == nullptr) return false;
  drain_pml(mmu);
  for (DirtyRing& ring : mmu.rings->of) ring.collect_all();
  (void)reset_rings(mmu);
  return true;
}

}  // namespace mmu
