// What another vendor's, or another kernel's, KVM would have where the engine
// has an entry of its own layout.
//
// The engine thinks in EPT entries of v6.16; a format is a view of them, for
// those who look: walks, lists of leaves, traces. One file a format, nothing
// in it but data and pure functions.
//
// A link to a table keeps the engine's own address of it: where a table lies
// in host memory is nothing that a model can know.
#pragma once

#include "core/formats/mmio_layout.hpp"
#include "core/spte.hpp"

namespace mmu {

struct SpteFormat {
  // Of an entry that maps or links.
  std::uint64_t (*present)(std::uint64_t raw);
  MmioLayout mmio;
  std::uint64_t empty;
  std::uint64_t frozen;
  // Set in the blocked leaves of the 2020 TDX patches as in empty entries.
  constexpr std::uint64_t show(HostWidth host, Spte spte) const {
    if (spte.is_present()) return present(spte.raw);
    if (spte.is_frozen()) return frozen;
    if (spte.is_empty()) return empty;
    if (spte.is_mmio()) {
      return mmio.make(host, mmio_frame(spte), mmio_generation(spte));
    }
    return (spte.raw & ~ept::kSuppressVe) | empty;
  }
};

// Moves the bits of `from` that are set in `raw` to where `to` has them; both
// are single bits.
constexpr std::uint64_t moved(std::uint64_t raw, std::uint64_t from,
                              std::uint64_t to) {
  return (raw & from) != 0 ? to : 0;
}

// Bits that no format has elsewhere.
inline constexpr std::uint64_t kSameEverywhere =
    ept::kAddress | ept::kAdType | ept::kSavedPermissions;

}  // namespace mmu
