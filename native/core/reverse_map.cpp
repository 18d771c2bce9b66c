#include "core/reverse_map.hpp"

namespace mmu {

Result<ReverseMap> ReverseMap::create(GfnRange slot) {
  ReverseMap map;
  std::uint64_t words = 0;
  for (unsigned n = 1; n <= kLevels && !slot.empty(); ++n) {
    const unsigned shift = index_shift(level_of(n));
    Part& part = map.part(level_of(n));
    part.first = slot.start.value >> shift;
    part.size = ((slot.end.value - 1) >> shift) - part.first + 1;
    words += part.size + SparseBits::words_for(part.size);
  }
  auto memory = LazyArray<std::uint64_t>::create(words);
  if (!memory) return memory.error();
  map.memory_ = std::move(memory.value());
  std::uint64_t* at = map.memory_.data();
  for (Part& part : map.parts_) {
    part.heads = at;
    part.used = SparseBits(at + part.size, part.size);
    at += part.size + SparseBits::words_for(part.size);
  }
  return map;
}

}  // namespace mmu
