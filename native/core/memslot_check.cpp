// Which changes of the slots KVM refuses, one row after the other.
#include <string>

#include "core/memslot.hpp"

namespace mmu {
namespace {

using Refusal = std::optional<Error>;
using Row = Refusal (*)(const MemslotRegion&, const SlotRules&);

// What the older ioctl has always taken.
constexpr std::uint32_t kOldFlags =
    MemslotRegion::kLogDirty | MemslotRegion::kReadonly;

constexpr bool is_aligned(std::uint64_t value) {
  return value % kPageSize == 0;
}

constexpr bool wraps(std::uint64_t start, std::uint64_t bytes) {
  return start + bytes < start;
}

constexpr bool asks_for_memfd(const MemslotRegion& region) {
  return (region.flags & MemslotRegion::kGuestMemfd) != 0;
}

GfnRange gfn_range(const MemslotRegion& region) {
  return {{region.gpa >> kPageShift},
          {(region.gpa + region.bytes) >> kPageShift}};
}

Error slot_error(ErrorCode code, const MemslotRegion& region) {
  return {code, {{{"id", slot_id(region.slot)}, {"as", slot_as(region.slot)}}}};
}

Refusal unless_flags_in(const MemslotRegion& region, std::uint32_t allowed) {
  if ((region.flags & ~allowed) == 0) return std::nullopt;
  return Error{ErrorCode::kMemslotFlags,
               {{{"flags", region.flags}, {"allowed", allowed}}}};
}

// Ours, and no errno's: before all that KVM looks at.
Refusal check_backing(const MemslotRegion& region, const SlotRules&) {
  if (region.backing >= 1 && region.backing <= 3) return std::nullopt;
  return Error{
      ErrorCode::kConfig,
      {{{"backing", region.backing}}},
      "backing must be level 1, 2 or 3, got " + std::to_string(region.backing)};
}

Refusal check_old_flags(const MemslotRegion& region, const SlotRules&) {
  return region.is_old_ioctl ? unless_flags_in(region, kOldFlags)
                             : std::nullopt;
}

Refusal check_id(const MemslotRegion& region, const SlotRules& rules) {
  const std::uint32_t id = slot_id(region.slot);
  if (id < rules.kernel.user_slots) return std::nullopt;
  return Error{ErrorCode::kMemslotId,
               {{{"id", id}, {"max", rules.kernel.user_slots - 1}}}};
}

// Private memory is neither logged nor read-only.
// KVM: check_memory_region_flags().
Refusal check_flags(const MemslotRegion& region, const SlotRules& rules) {
  const bool binds = rules.allows_memfd && asks_for_memfd(region);
  return unless_flags_in(region,
                         binds ? MemslotRegion::kGuestMemfd : kOldFlags);
}

Refusal check_size(const MemslotRegion& region, const SlotRules&) {
  if (is_aligned(region.bytes)) return std::nullopt;
  return Error{ErrorCode::kMemslotSize, {{{"bytes", region.bytes}}}};
}

Refusal check_gpa(const MemslotRegion& region, const SlotRules&) {
  if (is_aligned(region.gpa)) return std::nullopt;
  return Error{ErrorCode::kMemslotGpa, {{{"gpa", region.gpa}}}};
}

Refusal check_hva(const MemslotRegion& region, const SlotRules& rules) {
  const bool is_user_memory = region.hva <= rules.user_end &&
                              region.bytes <= rules.user_end - region.hva;
  if (is_aligned(region.hva) && is_user_memory) return std::nullopt;
  return Error{ErrorCode::kMemslotHva,
               {{{"hva", region.hva},
                 {"end", region.hva + region.bytes},
                 {"limit", rules.user_end}}}};
}

Refusal check_memfd_offset(const MemslotRegion& region, const SlotRules&) {
  if (!asks_for_memfd(region)) return std::nullopt;
  const std::uint64_t offset = region.memfd_offset;
  if (is_aligned(offset) && !wraps(offset, region.bytes)) return std::nullopt;
  return Error{ErrorCode::kMemslotMemfd,
               {{{"offset", offset}, {"bytes", region.bytes}}},
               "guest_memfd offset " + number(offset) +
                   " is not a multiple of 0x1000, or wraps around with the "
                   "slot's size"};
}

Refusal check_address_space(const MemslotRegion& region,
                            const SlotRules& rules) {
  if (slot_as(region.slot) < rules.address_spaces) return std::nullopt;
  return Error{
      ErrorCode::kMemslotAddressSpace,
      {{{"as", slot_as(region.slot)}, {"count", rules.address_spaces}}}};
}

Refusal check_end(const MemslotRegion& region, const SlotRules&) {
  if (!wraps(region.gpa, region.bytes)) return std::nullopt;
  return Error{ErrorCode::kMemslotWraps,
               {{{"gpa", region.gpa}, {"bytes", region.bytes}}}};
}

Refusal check_pages(const MemslotRegion& region, const SlotRules&) {
  const std::uint64_t pages = region.bytes >> kPageShift;
  if (pages <= kMaxMemslotPages) return std::nullopt;
  return Error{ErrorCode::kMemslotTooLarge,
               {{{"pages", pages}, {"max", kMaxMemslotPages}}}};
}

// What looks at the argument alone, in KVM's order.
constexpr Row kRows[] = {
    check_backing,       check_old_flags, check_id,    check_flags,
    check_size,          check_gpa,       check_hva,   check_memfd_offset,
    check_address_space, check_end,       check_pages,
};

Result<SlotChange> check_existing(const Memslot& slot,
                                  const MemslotRegion& region) {
  constexpr std::uint32_t kFixed =
      MemslotRegion::kReadonly | MemslotRegion::kGuestMemfd;
  const bool same_pages = slot.range.size() == region.bytes >> kPageShift;
  const std::uint32_t toggled = slot.flags ^ region.flags;
  if (asks_for_memfd(region) || slot.hva.value != region.hva || !same_pages ||
      (toggled & kFixed) != 0) {
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
                                           const SlotRules& rules) {
  const std::uint64_t first = range.start.value;
  const std::uint64_t last = range.end.value - 1;
  if (space.is_aliased(last)) return last;
  if (!rules.twin_slots || space.bit_count == 0) return std::nullopt;
  if (space.is_aliased(first)) return first;
  const std::uint64_t step = space.offset_of(1);
  const std::uint64_t next = (first / step + 1) * step;
  return next <= last ? std::optional(next) : std::nullopt;
}

Error bad_binding(const MemslotRegion& region, std::string detail) {
  return {ErrorCode::kMemslotMemfd,
          {{{"offset", region.memfd_offset}, {"bytes", region.bytes}}},
          std::move(detail)};
}

// Whether a slot holds some of these bytes of the file.
bool is_bound(const Memslot& slot, const MemslotRegion& region) {
  if (!slot.has_memfd() || slot.memfd != region.memfd) return false;
  const std::uint64_t end =
      slot.memfd_offset + (slot.range.size() << kPageShift);
  return region.memfd_offset < end &&
         slot.memfd_offset < region.memfd_offset + region.bytes;
}

}  // namespace

// KVM also refuses a create that makes the sum of all pages wrap. With at most
// 65,528 user slots of 2^31 - 1 pages each it cannot, so there is no such row.
Result<SlotChange> check_memslot(const MemslotSet* sets,
                                 const MemslotRegion& region,
                                 const SlotRules& rules) {
  for (const Row row : kRows) {
    if (Refusal error = row(region, rules)) return *std::move(error);
  }
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

Refusal check_binding(const MemslotSet* sets, const MemslotRegion& region,
                      std::span<const std::uint64_t> files) {
  if (!asks_for_memfd(region)) return std::nullopt;
  if (region.memfd == MemslotRegion::kOtherFile) {
    return bad_binding(region, "the file is no guest_memfd of this VM");
  }
  const auto file = static_cast<std::size_t>(region.memfd);
  if (region.memfd < 0 || file >= files.size()) {
    return Error{ErrorCode::kMemslotBadFd, {{{"count", files.size()}}}};
  }
  // The sum was seen not to wrap.
  if (region.memfd_offset + region.bytes > files[file]) {
    return bad_binding(region,
                       "the range ends beyond the guest_memfd, which "
                       "has " +
                           number(files[file]) + " bytes");
  }
  for (unsigned as_id = 0; as_id < kAddressSpaces; ++as_id) {
    for (const auto& slot : sets[as_id].slots()) {
      if (!is_bound(*slot, region)) continue;
      return bad_binding(region, "memslot " + std::to_string(slot->id) +
                                     " is bound to a part of this range");
    }
  }
  return std::nullopt;
}

// Rows in KVM's order; the last one is ours. A slot that moves keeps its
// backing, whatever the request says.
Result<SlotChange> check_arch(const MemslotRegion& region, SlotChange change,
                              const SlotRules& rules, const AliasSpace& space) {
  const GfnRange range = gfn_range(region);
  const std::uint64_t last = range.end.value - 1;
  if (last > rules.max_frame) {
    return Error{ErrorCode::kMemslotBeyondMax,
                 {{{"start", gpa_of(range.start).value},
                   {"end", gpa_of(range.end).value},
                   {"max", rules.max_frame << kPageShift}}}};
  }
  if (const auto bad = aliased_frame(range, space, rules)) {
    return Error{ErrorCode::kMemslotAliased, {{{"gpa", *bad << kPageShift}}}};
  }
  if (change == SlotChange::kCreate && region.backing == 3 &&
      !allows_1g(space)) {
    return Error{ErrorCode::kMemslotBacking,
                 {{{"bit", space.low_bit}, {"limit", kTop1G}}}};
  }
  return change;
}

}  // namespace mmu
