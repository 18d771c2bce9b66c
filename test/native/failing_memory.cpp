#include "failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace failing_memory {
namespace {

// Per thread: tests of several threads go on beside.
thread_local std::uint64_t countdown = 0;  // 0: nothing fails
thread_local bool has_failed = false;
thread_local std::uint64_t out = 0;
thread_local std::uint64_t bytes_asked = 0;

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
  if (countdown != 0 && --countdown == 0) {
    has_failed = true;
    return nullptr;
  }
  const std::size_t whole = bytes == 0 ? 1 : bytes;
  void* memory = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                     ? std::malloc(whole)
                     : std::aligned_alloc(alignment, (whole + alignment - 1) /
                                                         alignment * alignment);
  out += memory != nullptr;
  bytes_asked += bytes;
  return memory;
}

void release(void* memory) noexcept {
  out -= memory != nullptr;
  std::free(memory);
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
  void* memory = allocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

std::uint64_t live() { return out; }
std::uint64_t asked() { return bytes_asked; }

FailsAt::FailsAt(std::uint64_t k) {
  countdown = k;
  has_failed = false;
}
FailsAt::~FailsAt() { countdown = 0; }
bool FailsAt::failed() const { return has_failed; }

}  // namespace failing_memory

using failing_memory::allocate;
using failing_memory::allocate_or_throw;
using failing_memory::release;

void* operator new(std::size_t n) { return allocate_or_throw(n, 1); }
void* operator new[](std::size_t n) { return allocate_or_throw(n, 1); }
void* operator new(std::size_t n, std::align_val_t a) {
  return allocate_or_throw(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
  return allocate_or_throw(n, static_cast<std::size_t>(a));
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return allocate(n, 1);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
  return allocate(n, 1);
}
void* operator new(std::size_t n, std::align_val_t a,
                   const std::nothrow_t&) noexcept {
  return allocate(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a,
                     const std::nothrow_t&) noexcept {
  return allocate(n, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  release(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept { release(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { release(p); }
void operator delete(void* p, std::align_val_t,
                     const std::nothrow_t&) noexcept {
  release(p);
}
void operator delete[](void* p, std::align_val_t,
                       const std::nothrow_t&) noexcept {
  release(p);
}
