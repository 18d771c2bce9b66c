// Zeroed memory that costs nothing until it is written.
//
// For tables that are large by what they could hold and small by what they do:
// only address space is taken at first, and the host backs what is touched.
// The elements start as zero bytes, no constructor runs and no destructor.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/lazy_memory.hpp"

namespace mmu {

template <class T>
  requires std::is_trivially_copyable_v<T>
class LazyArray {
 public:
  static Result<LazyArray> create(std::uint64_t count) {
    Result<LazyMemory> memory = LazyMemory::create(count, sizeof(T));
    if (!memory) return memory.error();
    LazyArray array;
    array.memory_ = std::move(memory.value());
    return array;
  }

  T* data() const noexcept { return static_cast<T*>(memory_.start()); }
  T& operator[](std::uint64_t i) const noexcept { return data()[i]; }

 private:
  LazyMemory memory_;
};

}  // namespace mmu
