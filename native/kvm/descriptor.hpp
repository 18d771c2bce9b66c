// A file descriptor and a mapping, each with one owner.
#pragma once

#if defined(__linux__)

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

namespace mmu::kvm {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

class Mapping {
 public:
  Mapping() = default;
  // What mmap() returned for so many bytes.
  Mapping(void* start, std::size_t bytes)
      : start_(start == MAP_FAILED ? nullptr : start), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), bytes_(other.bytes_) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping() {
    if (start_) ::munmap(start_, bytes_);
  }

  void* start() const { return start_; }
  std::size_t bytes() const { return bytes_; }
  explicit operator bool() const { return start_ != nullptr; }

 private:
  void* start_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace mmu::kvm

#endif
