#include "core/memslot_family.hpp"

#include "core/dirty_log.hpp"

namespace mmu {
namespace {

// Frame numbers of host memory are its addresses, less the 1 TiB at which the
// first backing region starts.
constexpr std::uint64_t kFirstRegion = bit(40);

using NewSlot = Result<std::unique_ptr<Memslot>>;

NewSlot make_slot(const Mmu& mmu, const MemslotRegion& region,
                  std::uint64_t offset = 0) {
  auto slot = std::make_unique<Memslot>();
  const std::uint64_t start = (region.gpa >> kPageShift) + offset;
  slot->id = slot_id(region.slot);
  slot->as_id = slot_as(region.slot);
  slot->range = {{start}, {start + (region.bytes >> kPageShift)}};
  slot->hva = {region.hva};
  slot->flags = region.flags;
  slot->backing = level_of(region.backing);
  if (slot->has_memfd()) {
    slot->memfd = region.memfd;
    slot->memfd_offset = region.memfd_offset;
  }
  slot->pfn_offset = ((region.hva - kFirstRegion) >> kPageShift) - start;
  // The upper half of the host's frames is private memory's.
  slot->pfn_mask = max_gfn(mmu.config).value >> mmu.has_private_memory();
  if (mmu.config.mmu == Flavour::kRmap && slot->as_id == 0) {
    Result<ReverseMap> rmap = ReverseMap::create(slot->range);
    if (!rmap) return rmap.error();
    slot->rmap = std::make_unique<ReverseMap>(std::move(rmap.value()));
  }
  if (slot->is_logged()) slot->dirty = make_bitmap(mmu, slot->range.size());
  return NewSlot(std::move(slot));
}

unsigned twin_count(const Mmu& mmu) {
  return mmu.traits.twin_slots ? mmu.alias.space().alias_count() - 1 : 0;
}

struct InternalSlot {
  std::uint32_t id;
  std::uint64_t gfn;
  std::uint64_t pages;
};
// Where QEMU puts them. KVM: TSS_PRIVATE_MEMSLOT, APIC_ACCESS_PAGE_PRIVATE_
// MEMSLOT, IDENTITY_PAGETABLE_PRIVATE_MEMSLOT.
constexpr InternalSlot kInternalSlots[] = {{kUserMemslots, 0xfeffd, 3},
                                           {kUserMemslots + 1, 0xfee00, 1},
                                           {kUserMemslots + 2, 0xfeffc, 1}};
constexpr std::uint64_t kInternalHva = bit(50);

}  // namespace

Result<Family> make_family(const Mmu& mmu, const MemslotRegion& region) {
  NewSlot first = make_slot(mmu, region);
  if (!first) return first.error();
  Family family;
  family.push_back(std::move(first.value()));
  const unsigned twins = twin_count(mmu);
  for (unsigned alias = 1; alias <= twins; ++alias) {
    NewSlot twin = make_slot(mmu, region, mmu.alias.space().offset_of(alias));
    if (!twin) return twin.error();
    family.push_back(std::move(twin.value()));
    family.back()->is_twin = true;
    family.front()->twins.push_back(family.back().get());
  }
  return Result<Family>(std::move(family));
}

std::optional<Error> make_internal_slots(Mmu& mmu) {
  for (const InternalSlot& own : kInternalSlots) {
    NewSlot slot = make_slot(
        mmu, {.slot = own.id,
              .gpa = own.gfn << kPageShift,
              .bytes = own.pages << kPageShift,
              .hva = kInternalHva + (own.id - kUserMemslots) * bit(30)});
    if (!slot) return slot.error();
    mmu.slots().insert(std::move(slot.value()));
  }
  return std::nullopt;
}

}  // namespace mmu
