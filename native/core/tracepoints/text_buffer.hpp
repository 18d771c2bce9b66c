// Lines of text, in memory that is asked for once.
//
// Like the kernel's ring buffer it holds so much and no more: a line that finds
// no room is counted as lost, and the text says so where it ends. Address space
// is reserved, memory used only as lines come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mmu {

class TextBuffer {
 public:
  // False: no memory, and nothing can be added.
  bool reserve(std::size_t bytes) noexcept;

  // One line, without its end.
  void add(std::string_view line) noexcept;
  // All lines since the last time.
  std::string take();

 private:
  std::unique_ptr<char[]> text_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace mmu
