// Memory that is all there before a clock starts: huge pages where the host
// gives them, written to, zero.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace mmu::bench {

class HugeArena {
 public:
  explicit HugeArena(std::uint64_t bytes)
      : bytes_((bytes + kHuge - 1) / kHuge * kHuge) {
    map_ = mmap(nullptr, bytes_ + kHuge, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    madvise(base(), bytes_, MADV_HUGEPAGE);
    constexpr int kPopulateWrite = 23;
    madvise(base(), bytes_, kPopulateWrite);
  }
  HugeArena(const HugeArena&) = delete;
  HugeArena& operator=(const HugeArena&) = delete;
  ~HugeArena() { munmap(map_, bytes_ + kHuge); }

  std::uint8_t* base() const {
    const auto at = reinterpret_cast<std::uintptr_t>(map_);
    return reinterpret_cast<std::uint8_t*>((at + kHuge - 1) / kHuge * kHuge);
  }

 private:
  static constexpr std::uint64_t kHuge = std::uint64_t{2} << 20;

  std::uint64_t bytes_;
  void* map_;
};

}  // namespace mmu::bench
