// A file mapped into memory, read-only. Knows no Node and no trace.
//
// A mapping of a file that shrinks ends in SIGBUS, which no program survives.
// So whoever is about to read asks for bytes through read(), which compares
// the size first. What shrinks during a read still kills; a copy of every byte
// would be the price of more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/error.hpp"

namespace mmu::binding {

class MappedFile {
 public:
  // ERR_IO with the name of the errno and the path, also for what is not a
  // regular file.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::size_t bytes() const noexcept { return bytes_; }

  // Up to `length` bytes from `offset`, or ERR_IO if the file is shorter than
  // it was. `offset` is at most bytes().
  Result<std::span<const std::uint8_t>> read(std::size_t offset,
                                             std::size_t length) const;

  // Gives back the memory of the pages before `offset`; reading them again
  // reads the file again.
  void forget_before(std::size_t offset);

 private:
  MappedFile() = default;
  Result<bool> map();

  std::string path_;
  int descriptor_ = -1;
  void* start_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t forgotten_ = 0;
};

}  // namespace mmu::binding
