#include <string>

#include "core/memslot.hpp"

namespace mmu {
namespace {

constexpr std::uint32_t kAllowedFlags =
    MemslotRegion::kLogDirty | MemslotRegion::kReadonly;

constexpr bool is_aligned(std::uint64_t value) {
  return value % kPageSize == 0;
}

// End of user memory. A host whose physical width is above 46 bits is taken to
// page with five levels. KVM: access_ok(); x86: TASK_SIZE_MAX.
constexpr std::uint64_t user_limit(const MachineConfig& config) {
  return bit(config.host_maxphyaddr > 46 ? 56 : 47) - kPageSize;
}

constexpr bool is_user_memory(const MemslotRegion& region,
                              std::uint64_t limit) {
  return is_aligned(region.hva) && region.hva <= limit &&
         region.bytes <= limit - region.hva;
}

GfnRange gfn_range(const MemslotRegion& region) {
  return {{region.gpa >> kPageShift},
          {(region.gpa + region.bytes) >> kPageShift}};
}

Error slot_error(ErrorCode code, const MemslotRegion& region) {
  return {code, {{{"id", slot_id(region.slot)}, {"as", slot_as(region.slot)}}}};
}

// The checks that look at the argument alone.
Result<SlotChange> check_argument(const MemslotRegion& region,
                                  const MachineConfig& config) {
  const std::uint64_t limit = user_limit(config);
  if (region.backing < 1 || region.backing > 3) {
    return Error{ErrorCode::kConfig,
                 {{{"backing", region.backing}}},
                 "backing must be level 1, 2 or 3, got " +
                     std::to_string(region.backing)};
  }
  if (slot_id(region.slot) >= kUserMemslots) {
    return Error{ErrorCode::kMemslotId,
                 {{{"id", slot_id(region.slot)}, {"max", kUserMemslots - 1}}}};
  }
  if ((region.flags & ~kAllowedFlags) != 0) {
    return Error{ErrorCode::kMemslotFlags,
                 {{{"flags", region.flags}, {"allowed", kAllowedFlags}}}};
  }
  if (!is_aligned(region.bytes)) {
    return Error{ErrorCode::kMemslotSize, {{{"bytes", region.bytes}}}};
  }
  if (!is_aligned(region.gpa)) {
    return Error{ErrorCode::kMemslotGpa, {{{"gpa", region.gpa}}}};
  }
  if (!is_user_memory(region, limit)) {
    return Error{ErrorCode::kMemslotHva,
                 {{{"hva", region.hva},
                   {"end", region.hva + region.bytes},
                   {"limit", limit}}}};
  }
  if (slot_as(region.slot) >= kAddressSpaces) {
    return Error{ErrorCode::kMemslotAddressSpace,
                 {{{"as", slot_as(region.slot)}, {"count", kAddressSpaces}}}};
  }
  if (region.gpa + region.bytes < region.gpa) {
    return Error{ErrorCode::kMemslotWraps,
                 {{{"gpa", region.gpa}, {"bytes", region.bytes}}}};
  }
  if (region.bytes >> kPageShift > kMaxMemslotPages) {
    return Error{
        ErrorCode::kMemslotTooLarge,
        {{{"pages", region.bytes >> kPageShift}, {"max", kMaxMemslotPages}}}};
  }
  return SlotChange::kNone;
}

Result<SlotChange> check_existing(const Memslot& slot,
                                  const MemslotRegion& region) {
  const bool same_pages = slot.range.size() == region.bytes >> kPageShift;
  const std::uint32_t toggled = slot.flags ^ region.flags;
  if (slot.hva.value != region.hva || !same_pages ||
      (toggled & MemslotRegion::kReadonly) != 0) {
    return slot_error(ErrorCode::kMemslotImmutable, region);
  }
  if (gpa_of(slot.range.start).value != region.gpa) return SlotChange::kMove;
  return toggled != 0 ? SlotChange::kFlags : SlotChange::kNone;
}

// The frame for whose alias bits a slot is refused. KVM looks at the last one
// alone; where the engine makes twins, a slot that begins among the aliases, or
// reaches through them, would lie where a twin belongs.
std::optional<std::uint64_t> aliased_frame(const GfnRange& range,
                                           const AliasSpace& space,
                                           const AliasTraits& traits) {
  const std::uint64_t first = range.start.value;
  const std::uint64_t last = range.end.value - 1;
  if (space.is_aliased(last)) return last;
  if (!traits.twin_slots || space.bit_count == 0) return std::nullopt;
  if (space.is_aliased(first)) return first;
  const std::uint64_t step = space.offset_of(1);
  const std::uint64_t next = (first / step + 1) * step;
  return next <= last ? std::optional(next) : std::nullopt;
}

}  // namespace

// KVM also refuses a create that makes the sum of all pages wrap. With at most
// 65,528 user slots of 2^31 - 1 pages each it cannot, so there is no such row.
Result<SlotChange> check_memslot(const MemslotSet* sets,
                                 const MemslotRegion& region,
                                 const MachineConfig& config) {
  const Result<SlotChange> argument = check_argument(region, config);
  if (!argument) return argument;
  const MemslotSet& set = sets[slot_as(region.slot)];
  const Memslot* existing = set.by_id(slot_id(region.slot));
  if (region.bytes == 0) {
    if (existing == nullptr) {
      return slot_error(ErrorCode::kMemslotMissing, region);
    }
    return SlotChange::kDelete;
  }
  Result<SlotChange> change = existing == nullptr
                                  ? Result<SlotChange>(SlotChange::kCreate)
                                  : check_existing(*existing, region);
  if (!change || change.value() == SlotChange::kNone ||
      change.value() == SlotChange::kFlags) {
    return change;
  }
  const GfnRange wanted = gfn_range(region);
  const Memslot* other = set.overlapping(wanted, existing);
  if (other == nullptr) return change;
  return Error{ErrorCode::kMemslotOverlap,
               {{{"start", gpa_of(wanted.start).value},
                 {"end", gpa_of(wanted.end).value},
                 {"id", other->id},
                 {"otherStart", gpa_of(other->range.start).value},
                 {"otherEnd", gpa_of(other->range.end).value}}}};
}

// Rows in KVM's order; the last one is ours: an alias bit inside a 1G page
// would have to choose between tables that such a page does not have. A slot
// that moves keeps its backing, whatever the request says.
Result<SlotChange> check_arch(const MemslotRegion& region, SlotChange change,
                              const MachineConfig& config,
                              const AliasSpace& space,
                              const AliasTraits& traits) {
  const GfnRange range = gfn_range(region);
  const std::uint64_t last = range.end.value - 1;
  if (last > max_gfn(config).value) {
    return Error{ErrorCode::kMemslotBeyondMax,
                 {{{"start", gpa_of(range.start).value},
                   {"end", gpa_of(range.end).value},
                   {"max", gpa_of(max_gfn(config)).value}}}};
  }
  if (const auto bad = aliased_frame(range, space, traits)) {
    return Error{ErrorCode::kMemslotAliased, {{{"gpa", *bad << kPageShift}}}};
  }
  constexpr unsigned kTop = 38;  // of the address bits inside a 1G table
  if (change == SlotChange::kCreate && region.backing == 3 &&
      space.bit_count != 0 && space.low_bit <= kTop) {
    return Error{ErrorCode::kMemslotBacking,
                 {{{"bit", space.low_bit}, {"limit", kTop}}}};
  }
  return change;
}

}  // namespace mmu
