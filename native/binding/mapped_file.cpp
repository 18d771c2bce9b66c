#include "binding/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mmu::binding {
namespace {

Error io_error(const std::string& path, std::string_view what) {
  return {.code = ErrorCode::kIo,
          .detail = std::string(what) + ", '" + path + "'"};
}

Error system_error(const std::string& path, std::string_view call) {
  const int error = uv_translate_sys_error(errno);
  return io_error(path, std::string(uv_err_name(error)) + ": " +
                            std::string(call) + ": " + uv_strerror(error));
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  MappedFile file;
  file.path_ = path;
  // Not blocking: a FIFO without a writer would hold the thread for ever.
  file.descriptor_ =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file.descriptor_ < 0) return system_error(path, "open");
  const Result<bool> mapped = file.map();
  if (!mapped) return mapped.error();
  return file;
}

Result<bool> MappedFile::map() {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return system_error(path_, "fstat");
  if (S_ISDIR(status.st_mode)) {
    return io_error(path_, "EISDIR: a directory");
  }
  if (!S_ISREG(status.st_mode)) {
    return io_error(path_, "EINVAL: not a regular file");
  }
  bytes_ = static_cast<std::size_t>(status.st_size);
  if (bytes_ == 0) return true;
  void* const start =
      ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, descriptor_, 0);
  if (start == MAP_FAILED) return system_error(path_, "mmap");
  start_ = start;
  ::madvise(start_, bytes_, MADV_SEQUENTIAL);
  return true;
}

MappedFile::MappedFile(MappedFile&& other) noexcept {
  *this = std::move(other);
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(start_, other.start_);
  std::swap(bytes_, other.bytes_);
  std::swap(forgotten_, other.forgotten_);
  return *this;
}

MappedFile::~MappedFile() {
  if (start_) ::munmap(start_, bytes_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::span<const std::uint8_t>> MappedFile::read(
    std::size_t offset, std::size_t length) const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return system_error(path_, "fstat");
  const auto now = static_cast<std::uint64_t>(status.st_size);
  if (now < bytes_) {
    Error error =
        io_error(path_, "the file has shrunk from " + std::to_string(bytes_) +
                            " to " + std::to_string(now) + " bytes");
    error.values[0] = {"mapped", bytes_};
    error.values[1] = {"bytes", now};
    return error;
  }
  const std::span<const std::uint8_t> all(
      static_cast<const std::uint8_t*>(start_), bytes_);
  return all.subspan(offset, std::min(length, bytes_ - offset));
}

void MappedFile::forget_before(std::size_t offset) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t end = offset / page * page;
  if (end > forgotten_) {
    ::madvise(static_cast<std::uint8_t*>(start_) + forgotten_, end - forgotten_,
              MADV_DONTNEED);
  }
  forgotten_ = end;
}

}  // namespace mmu::binding
