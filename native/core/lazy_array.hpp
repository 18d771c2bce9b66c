// Zeroed memory that costs nothing until it is written.
//
// For tables that are large by what they could hold and small by what they do:
// only address space is taken at first, and the host backs what is touched.
// The elements start as zero bytes, no constructor runs and no destructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "core/error.hpp"

namespace mmu {

// Reserved pages of host memory. Move-only.
class LazyMemory {
 public:
  // kOutOfMemory where the host refuses, or where bytes = count * size is
  // above what there is at all.
  static Result<LazyMemory> create(std::uint64_t count, std::uint64_t size);

  LazyMemory() = default;
  LazyMemory(LazyMemory&& other) noexcept { *this = std::move(other); }
  LazyMemory& operator=(LazyMemory&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~LazyMemory();

  void* start() const noexcept { return start_; }

 private:
  void* start_ = nullptr;
  std::size_t bytes_ = 0;
};

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
