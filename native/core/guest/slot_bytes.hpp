// Where the bytes of a few memslots lie, so that a walk finds an entry by a
// subtraction and one lookup.
//
// Good as long as no slot and no host mapping changes and no new page of guest
// memory is written: for one batch.
#pragma once

#include <vector>

#include "core/guest/guest_memory.hpp"
#include "core/mmu.hpp"

namespace mmu {

class SlotBytes {
 public:
  // Slots beyond these, and those of which the host has something to say, are
  // left to who looks closer.
  static constexpr std::size_t kMostSlots = 8;
  static constexpr std::uint64_t kMostChunks = 1 << 16;

  // One slot, by bytes: those of a gpa in it are at offset gpa - zero of its
  // chunks, and there are as many as from `low` on.
  struct View {
    std::uint64_t zero = 0;
    std::uint64_t low = 0;
    std::uint64_t bytes = 0;
    const std::byte* const* chunks = nullptr;

    bool holds(std::uint64_t gpa) const noexcept {
      return gpa - zero - low < bytes;
    }
    // Null where nothing was ever written. `gpa`: one that it holds.
    const std::byte* at(std::uint64_t gpa) const noexcept {
      const std::uint64_t offset = gpa - zero;
      const std::byte* chunk = chunks[offset / GuestMemory::kChunkBytes];
      return chunk == nullptr ? nullptr
                              : chunk + offset % GuestMemory::kChunkBytes;
    }
  };

  SlotBytes(const Mmu& mmu, const GuestMemory& memory) {
    for (const auto& slot : mmu.slots().slots()) {
      if (!slot->is_internal() && !slot->has_host_mappings) {
        add(*slot, memory);
      }
    }
  }

  // The view that holds the gpa; one that holds nothing if none does.
  View find(std::uint64_t gpa) const noexcept {
    for (const Place& place : places_) {
      if (place.view.holds(gpa)) return place.view;
    }
    return {};
  }

 private:
  struct Place {
    View view;
    std::vector<const std::byte*> chunks;
  };

  void add(const Memslot& slot, const GuestMemory& memory) {
    constexpr std::uint64_t kBytes = GuestMemory::kChunkBytes;
    const std::uint64_t start = slot.hva.value;
    const std::uint64_t bytes = slot.range.size() << kPageShift;
    const std::uint64_t first = start / kBytes;
    const std::uint64_t last = (start + bytes - 1) / kBytes;
    if (places_.size() == kMostSlots || last - first >= kMostChunks) return;
    std::vector<const std::byte*> chunks;
    chunks.reserve(last - first + 1);
    for (std::uint64_t chunk = first; chunk <= last; ++chunk) {
      chunks.push_back(memory.find(HostPage{chunk * GuestMemory::kChunkPages}));
    }
    const std::uint64_t gpa = gpa_of(slot.range.start).value;
    const std::uint64_t low = start % kBytes;
    places_.push_back(
        {{gpa - low, low, bytes, chunks.data()}, std::move(chunks)});
  }

  std::vector<Place> places_;
};

}  // namespace mmu
