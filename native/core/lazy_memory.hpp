// Address space that costs nothing until it is written, and reads as zero.
//
// Who makes many machines one after the other, each for a few events, pays more
// for this than for the events: three calls of the host for each stretch, and a
// fault for each page. While a KeptMemory lives, what a machine gives back on
// its thread is cleared and waits there for the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace mmu {

// Reserved pages of host memory. Move-only.
class LazyMemory {
 public:
  // kOutOfMemory where the host refuses, or where bytes = count * size is
  // above what there is at all.
  static Result<LazyMemory> create(std::uint64_t count, std::uint64_t size);
  // Begins and ends at a huge page's boundary, and is made of such if the host
  // can; `bytes` is a multiple of their size.
  static Result<LazyMemory> create_huge(std::uint64_t bytes);
  // The same of ordinary pages, until make_huge() is asked for some.
  static Result<LazyMemory> create_aligned(std::uint64_t bytes);
  static constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

  LazyMemory() = default;
  LazyMemory(LazyMemory&& other) noexcept { *this = std::move(other); }
  LazyMemory& operator=(LazyMemory&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    std::swap(is_backed_, other.is_backed_);
    return *this;
  }
  ~LazyMemory() { give_back(bytes_); }

  // Makes one page of the huge page that begins at `offset`, if the host can:
  // worth its while once much of it is written, and a waste of it before.
  void make_huge(std::uint64_t offset) noexcept;

  void* start() const noexcept { return start_; }
  std::size_t bytes() const noexcept { return bytes_; }
  // Whether the host has given memory for all of it.
  bool is_backed() const noexcept { return is_backed_; }

  // The end of its life, by somebody who knows that nothing was written after
  // the first `touched` bytes.
  void give_back(std::size_t touched) noexcept;

 private:
  friend class KeptMemory;
  LazyMemory(void* start, std::size_t bytes, bool is_backed) noexcept
      : start_(start), bytes_(bytes), is_backed_(is_backed) {}

  void* start_ = nullptr;
  std::size_t bytes_ = 0;
  bool is_backed_ = false;
};

// The innermost of a thread counts. Lives and dies on one thread.
class KeptMemory {
 public:
  // To clear more is dearer than to ask the host again.
  static constexpr std::size_t kMostBytes = std::size_t{256} << 10;

  KeptMemory() noexcept;
  ~KeptMemory();
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;

 private:
  friend class LazyMemory;
  struct Stretch {
    void* start;
    std::size_t bytes;
  };

  static KeptMemory*& of_thread() noexcept;
  // Null where it has none of that size.
  void* take(std::size_t bytes) noexcept;
  // False if it will not have it.
  bool keep(Stretch stretch, std::size_t touched) noexcept;

  KeptMemory* outer_;
  std::vector<Stretch> kept_;
};

}  // namespace mmu
