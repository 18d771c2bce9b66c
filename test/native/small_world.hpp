// A world for explorations: two vCPUs, two pages of one slot, two aliases.
#pragma once

#include "alias_world.hpp"
#include "check/player.hpp"

namespace world {

struct Small {
  std::string_view strategy = "stolen-bits";
  mmu::Flavour mmu = mmu::Flavour::kTdp;
  std::string_view preset = "bits:47";
  std::string_view provider = "none";
  std::uint8_t backing = 1;
  bool memory_types = false;
  bool internal_slots = false;
};

inline constexpr std::uint64_t kSlot = 2 * kMiB;
// The mask of a valid range register for one page.
inline constexpr std::uint64_t kOnePage =
    ((mmu::bit(46) - 1) & ~(kPage - 1)) | mmu::bit(11);

inline mmu::check::Operation event(mmu::Event event,
                                   mmu::check::Symmetry symmetry = {}) {
  return {{event}, symmetry};
}

inline std::vector<mmu::check::Operation> accesses_of_pages() {
  using mmu::check::Symmetry;
  std::vector<mmu::check::Operation> operations;
  for (std::uint16_t vcpu = 0; vcpu < 2; ++vcpu) {
    for (const std::uint64_t alias : {std::uint64_t{0}, kBit}) {
      for (unsigned page = 0; page < 2; ++page) {
        for (const std::uint8_t access :
             {mmu::kAccessRead, mmu::kAccessWrite}) {
          operations.push_back(
              event({.access = access,
                     .vcpu = vcpu,
                     .gpa = alias + kSlot + page * kPage},
                    page == 0 ? Symmetry::kFirst : Symmetry::kSecond));
        }
      }
    }
  }
  return operations;
}

// Everything else that happens to such a slot.
inline std::vector<mmu::check::Operation> changes_of_slot(const Small& small) {
  using enum mmu::EventKind;
  const std::uint64_t hva = kHvaBase + kSlot;
  std::vector<mmu::check::Operation> operations{
      event({.kind = kHvaInvalidate, .gpa = hva, .bytes = kPage},
            mmu::check::Symmetry::kFirst),
      event({.kind = kZap, .gpa = kSlot, .bytes = kPage},
            mmu::check::Symmetry::kFirst),
      event({.kind = kZapAllFast}),
      event({.kind = kDirtyLogGet}),
      event({.kind = kDirtyLogEnable}),
      {{mmu::MemslotRegion{.slot = 0, .bytes = 0}}, {}}};
  if (small.memory_types) {
    operations.push_back({{mmu::check::MtrrWrite{0x200, kSlot},
                           mmu::check::MtrrWrite{0x201, kOnePage}},
                          mmu::check::Symmetry::kFirst});
  }
  if (small.internal_slots) {
    for (std::uint16_t vcpu = 0; vcpu < 2; ++vcpu) {
      for (const std::uint64_t alias : {std::uint64_t{0}, kBit}) {
        operations.push_back(event({.vcpu = vcpu, .gpa = alias + 0xfee00000}));
      }
    }
  }
  return operations;
}

inline mmu::check::World small_world(const Small& small) {
  mmu::check::World world;
  world.config = Setup{small.strategy,
                       small.mmu,
                       small.preset,
                       small.provider,
                       /*tlb=*/true,
                       small.internal_slots,
                       2}
                     .config();
  world.config.arena_bytes = kMiB / 4;
  world.config.tlb = mmu::TlbShape::small(64, 4);
  world.config.host.memory_types = small.memory_types;
  const mmu::MemslotRegion slot{.slot = 0,
                                .flags = mmu::MemslotRegion::kLogDirty,
                                .gpa = kSlot,
                                .bytes = kSlot,
                                .hva = kHvaBase + kSlot,
                                .backing = small.backing};
  world.setup.push_back(slot);
  if (small.backing > 1) {
    world.setup.push_back(mmu::Event{.kind = mmu::EventKind::kDirtyLogDisable});
  }
  if (small.memory_types) {
    world.setup.push_back(mmu::check::MtrrWrite{0x2ff, 6 | mmu::bit(11)});
  }
  world.operations = accesses_of_pages();
  for (auto& change : changes_of_slot(small)) {
    world.operations.push_back(std::move(change));
  }
  return world;
}

}  // namespace world
