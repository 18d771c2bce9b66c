#include "core/guest/guest_memory.hpp"

#include <new>

namespace mmu {

GuestMemory::Place& GuestMemory::place_of(std::uint64_t chunk) noexcept {
  std::size_t at = home_of(chunk);
  while (places_[at].start != nullptr && places_[at].chunk != chunk) {
    at = (at + 1) & mask_;
  }
  return places_[at];
}

void GuestMemory::grow_table() {
  std::vector<Place> old(places_.size() * 2);
  old.swap(places_);
  mask_ = places_.size() - 1;
  for (const Place& place : old) {
    if (place.start != nullptr) place_of(place.chunk) = place;
  }
}

Result<GuestMemory::Chunk*> GuestMemory::chunk_of(std::uint64_t number) {
  const Place& found = place_of(number);
  if (found.start != nullptr) return &chunks_[found.index];
  Result<LazyMemory> memory = LazyMemory::create(kChunkBytes, 1);
  if (!memory) return memory.error();
  if ((chunks_.size() + 1) * 2 > places_.size()) grow_table();
  chunks_.push_back({number, std::move(memory.value()),
                     std::vector<std::uint64_t>(kChunkPages / 64)});
  Chunk& chunk = chunks_.back();
  place_of(number) = {number, chunk.start(), chunks_.size() - 1};
  return &chunk;
}

Result<std::byte*> GuestMemory::make(HostPage page) {
  try {
    Result<Chunk*> chunk = chunk_of(page.value / kChunkPages);
    if (!chunk) return chunk.error();
    const std::uint64_t i = page.value % kChunkPages;
    chunk.value()->written[i / 64] |= std::uint64_t{1} << (i % 64);
    return chunk.value()->start() + (i << kPageShift);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory,
                 {{{"bytes", kChunkBytes}}},
                 "no room for " + std::to_string(kChunkBytes) +
                     " bytes of guest memory"};
  }
}

}  // namespace mmu
