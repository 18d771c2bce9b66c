#include "core/lazy_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>

namespace mmu {
namespace {

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Null where the host refuses.
void* reserve(std::size_t bytes) noexcept {
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return map == MAP_FAILED ? nullptr : map;
}

}  // namespace

Result<LazyMemory> LazyMemory::create(std::uint64_t count, std::uint64_t size) {
  if (count == 0) return LazyMemory();
  if (count <= std::numeric_limits<std::size_t>::max() / size) {
    const std::size_t bytes = count * size;
    KeptMemory* const kept = KeptMemory::of_thread();
    if (void* start = kept != nullptr ? kept->take(bytes) : nullptr) {
      return LazyMemory(start, bytes, true);
    }
    if (void* start = reserve(bytes)) return LazyMemory(start, bytes, false);
  }
  return Error{ErrorCode::kOutOfMemory,
               {{{"count", count}, {"size", size}}},
               "no room for " + std::to_string(count) + " entries of " +
                   std::to_string(size) + " bytes"};
}

Result<LazyMemory> LazyMemory::create_huge(std::uint64_t bytes) {
  Result<LazyMemory> made = create_aligned(bytes);
  if (made) madvise(made.value().start(), bytes, MADV_HUGEPAGE);
  return made;
}

void LazyMemory::make_huge(std::uint64_t offset) noexcept {
  // Since Linux 6.1; in no header that is older.
  constexpr int kCollapse = 25;
  auto* const at = static_cast<std::uint8_t*>(start_) + offset;
  madvise(at, kHugePage, MADV_HUGEPAGE);
  madvise(at, kHugePage, kCollapse);
}

Result<LazyMemory> LazyMemory::create_aligned(std::uint64_t bytes) {
  // One huge page more than asked, so that the start can be aligned to one.
  auto* map = static_cast<std::uint8_t*>(reserve(bytes + kHugePage));
  if (map == nullptr) {
    return Error{ErrorCode::kOutOfMemory,
                 {{{"bytes", bytes}}},
                 "no room for " + std::to_string(bytes) + " bytes"};
  }
  const auto address = reinterpret_cast<std::uintptr_t>(map);
  const std::uint64_t head = round_up(address, kHugePage) - address;
  if (head != 0) munmap(map, head);
  if (head != kHugePage) munmap(map + head + bytes, kHugePage - head);
  return LazyMemory(map + head, bytes, false);
}

void LazyMemory::give_back(std::size_t touched) noexcept {
  if (start_ == nullptr) return;
  KeptMemory* const kept = KeptMemory::of_thread();
  if (kept == nullptr || !kept->keep({start_, bytes_}, touched)) {
    munmap(start_, bytes_);
  }
  start_ = nullptr;
  bytes_ = 0;
}

KeptMemory::KeptMemory() noexcept : outer_(of_thread()) { of_thread() = this; }

KeptMemory::~KeptMemory() {
  of_thread() = outer_;
  for (const Stretch& stretch : kept_) munmap(stretch.start, stretch.bytes);
}

KeptMemory*& KeptMemory::of_thread() noexcept {
  static thread_local KeptMemory* innermost = nullptr;
  return innermost;
}

void* KeptMemory::take(std::size_t bytes) noexcept {
  const auto found = std::ranges::find(kept_, bytes, &Stretch::bytes);
  if (found == kept_.end()) return nullptr;
  void* const start = found->start;
  *found = kept_.back();
  kept_.pop_back();
  return start;
}

bool KeptMemory::keep(Stretch stretch, std::size_t touched) noexcept {
  if (touched > kMostBytes) return false;
  try {
    kept_.push_back(stretch);
  } catch (const std::bad_alloc&) {
    return false;
  }
  std::memset(stretch.start, 0, touched);
  return true;
}

}  // namespace mmu
