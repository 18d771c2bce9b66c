#include "core/host_ops.hpp"

#include <string>

namespace mmu {
namespace {

bool is_mapped(HostState state) {
  return state == HostState::kReadWrite || state == HostState::kReadOnly;
}

}  // namespace

HostAnswer look_up_mapping(const Mmu& mmu, const Memslot& slot, Gfn gfn) {
  const Pfn usual = slot.pfn_of(gfn);
  const HostPage page = page_of(slot.hva_of(gfn));
  const HostMapping* mapping = mmu.host.find(page);
  if (mapping == nullptr) return {.pfn = usual};
  return {mapping->state,
          mapping->has_frames ? mapping->frame_of(page) : usual};
}

// KVM reads the host's tables without a lock, and takes its word for the page
// at hand. What they say of the rest of a huge page is the same mapping.
bool mapping_allows(const Mmu& mmu, const Memslot& slot, Gfn gfn, Level level) {
  const Gfn first = round_down(gfn, level);
  const HostRange span =
      host_pages(slot, {first, {first.value + pages_per(level)}});
  const HostMapping* mapping = mmu.host.find(span.start);
  if (mapping == nullptr) {
    return level <= slot.backing && !mmu.host.meets(span);
  }
  const bool congruent =
      !mapping->has_frames ||
      mapping->frame_of(span.start).value % pages_per(level) == 0;
  return is_mapped(mapping->state) && level <= mapping->level &&
         span.end <= mapping->pages.end && congruent;
}

HostState reach_host(Mmu& mmu, const Memslot& slot, Gfn gfn) {
  const HostState state = look_up_host(mmu, slot, gfn).state;
  if (state != HostState::kIo) return state;
  mmu.host.make_resident(page_of(slot.hva_of(gfn)));
  return HostState::kReadWrite;
}

void note_host_mappings(const Mmu& mmu, Memslot& slot) {
  slot.has_host_mappings = mmu.host.meets(host_pages(slot, slot.range));
  slot.note_needs();
}

std::optional<Error> set_host_mapping(Mmu& mmu,
                                      const HostMappingRequest& request) {
  // The upper half of the frames is private memory's, where it has its own.
  const std::uint64_t frames = mmu.private_bit != 0
                                   ? mmu.private_bit >> kPageShift
                                   : max_gfn(mmu.config).value + 1;
  if (auto error = check_host_mapping(request, frames)) return error;
  const AliasSpace& space = mmu.alias.space();
  if (request.level == 3 && !allows_1g(space)) {
    return Error{ErrorCode::kHostMapping,
                 {{{"level", request.level}, {"bit", space.low_bit}}},
                 "expected level 1 or 2, as alias bit " +
                     std::to_string(space.low_bit) + " lies inside a 1G page"};
  }
  const HostMapping mapping = mapping_of(request);
  if (request.reset) {
    mmu.host.forget(mapping.pages);
  } else {
    mmu.host.set(mapping);
  }
  for (MemslotSet& set : mmu.slot_sets) {
    set.forget_last();
    for (const auto& slot : set.slots()) note_host_mappings(mmu, *slot);
  }
  return std::nullopt;
}

}  // namespace mmu
