#include "core/guest/guest_memory.hpp"

#include <bit>
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

// Tables of a guest lie close together, and a walk meets many of them: with
// 4K pages beneath, half of its time goes into this process' own TLB misses.
void GuestMemory::Chunk::note_written(std::uint64_t page) noexcept {
  constexpr std::uint64_t kGroup = LazyMemory::kHugePage >> kPageShift;
  constexpr int kManyPages = 64;
  const std::uint64_t mask = std::uint64_t{1} << (page % 64);
  if ((written[page / 64] & mask) != 0) return;
  written[page / 64] |= mask;
  const std::uint64_t first = page / kGroup * kGroup;
  int count = 0;
  for (std::uint64_t at = first; at < first + kGroup; at += 64) {
    count += std::popcount(written[at / 64]);
  }
  if (count == kManyPages) memory.make_huge(first << kPageShift);
}

Result<GuestMemory::Chunk*> GuestMemory::chunk_of(std::uint64_t number) {
  const Place& found = place_of(number);
  if (found.start != nullptr) return &chunks_[found.index];
  Result<LazyMemory> memory = LazyMemory::create_aligned(kChunkBytes);
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
    chunk.value()->note_written(i);
    return chunk.value()->start() + (i << kPageShift);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory,
                 {{{"bytes", kChunkBytes}}},
                 "no room for " + std::to_string(kChunkBytes) +
                     " bytes of guest memory"};
  }
}

}  // namespace mmu
