// Stands in front of the C library's own functions, as a definition in the
// program does; operator new ends here too. glibc's names for them are what is
// behind.
#include "count_allocations.hpp"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace {

constinit unsigned long long asked = 0;

}  // namespace

namespace mmu::bench {

unsigned long long allocations() { return asked; }

}  // namespace mmu::bench

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* at, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  ++asked;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++asked;
  return __libc_calloc(count, bytes);
}
void* realloc(void* at, std::size_t bytes) {
  ++asked;
  return __libc_realloc(at, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++asked;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** at, std::size_t alignment, std::size_t bytes) {
  ++asked;
  *at = __libc_memalign(alignment, bytes);
  return *at == nullptr ? ENOMEM : 0;
}
void* mmap(void* at, std::size_t bytes, int protection, int flags, int file,
           off_t offset) {
  ++asked;
  return reinterpret_cast<void*>(
      syscall(SYS_mmap, at, bytes, protection, flags, file, offset));
}

}  // extern "C"
