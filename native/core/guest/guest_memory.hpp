// The bytes behind memslots, by host-virtual page: what a VMM has mapped there,
// zero until it is written. Two slots over one stretch see one memory.
//
// Kept in chunks of address space that cost nothing until they are written.
// Which pages KVM may touch is host_memory.hpp's affair, whose page it is a
// slot's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/host_memory.hpp"
#include "core/lazy_memory.hpp"

namespace mmu {

class GuestMemory {
 public:
  static constexpr std::uint64_t kChunkBytes = std::uint64_t{64} << 20;
  static constexpr std::uint64_t kChunkPages = kChunkBytes >> kPageShift;

  // The page's bytes; null where nothing near was ever written, which reads as
  // zero.
  std::byte* find(HostPage page) const noexcept {
    const std::uint64_t chunk = page.value / kChunkPages;
    for (std::size_t at = home_of(chunk);; at = (at + 1) & mask_) {
      const Place& place = places_[at];
      if (place.chunk == chunk) {
        return place.start + ((page.value % kChunkPages) << kPageShift);
      }
      if (place.start == nullptr) return nullptr;
    }
  }
  // The page's bytes, for whoever will write them. kOutOfMemory, with nothing
  // changed.
  Result<std::byte*> make(HostPage page);

  // Calls visit(HostPage, const std::byte*) for each page that was written, by
  // chunk in the order of their first use.
  template <class Visit>
  void for_each_page(Visit visit) const {
    for (const Chunk& chunk : chunks_) {
      for (std::uint64_t i = 0; i < kChunkPages; ++i) {
        if ((chunk.written[i / 64] >> (i % 64) & 1) == 0) continue;
        const std::uint64_t page = chunk.number * kChunkPages + i;
        visit(HostPage{page}, chunk.start() + (i << kPageShift));
      }
    }
  }

 private:
  struct Chunk {
    std::uint64_t number;
    LazyMemory memory;
    std::vector<std::uint64_t> written;  // a bit a page

    void note_written(std::uint64_t page) noexcept;
    std::byte* start() const noexcept {
      return static_cast<std::byte*>(memory.start());
    }
  };
  // Of an open table, at most half full; free where start is null.
  struct Place {
    std::uint64_t chunk = ~std::uint64_t{0};
    std::byte* start = nullptr;
    std::size_t index = 0;
  };

  // The multiplier is 2^64 over the golden ratio.
  std::size_t home_of(std::uint64_t chunk) const noexcept {
    return (chunk * 0x9e3779b97f4a7c15) >> 32 & mask_;
  }
  Place& place_of(std::uint64_t chunk) noexcept;
  Result<Chunk*> chunk_of(std::uint64_t number);
  void grow_table();

  std::vector<Chunk> chunks_;
  std::vector<Place> places_ = std::vector<Place>(2);
  std::size_t mask_ = 1;
};

}  // namespace mmu
