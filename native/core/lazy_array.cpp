#include "core/lazy_array.hpp"

#include <sys/mman.h>

#include <limits>
#include <string>

namespace mmu {

Result<LazyMemory> LazyMemory::create(std::uint64_t count, std::uint64_t size) {
  LazyMemory memory;
  if (count == 0) return memory;
  void* map = MAP_FAILED;
  if (count <= std::numeric_limits<std::size_t>::max() / size) {
    memory.bytes_ = count * size;
    map = mmap(nullptr, memory.bytes_, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  if (map == MAP_FAILED) {
    memory.bytes_ = 0;
    return Error{ErrorCode::kOutOfMemory,
                 {{{"count", count}, {"size", size}}},
                 "no room for " + std::to_string(count) + " entries of " +
                     std::to_string(size) + " bytes"};
  }
  memory.start_ = map;
  return memory;
}

LazyMemory::~LazyMemory() {
  if (start_ != nullptr) munmap(start_, bytes_);
}

}  // namespace mmu
