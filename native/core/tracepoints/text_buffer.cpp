#include "core/tracepoints/text_buffer.hpp"

#include <cstring>
#include <new>

namespace mmu {

bool TextBuffer::reserve(std::size_t bytes) noexcept {
  // Not set to anything: pages that no line reaches are never touched.
  text_.reset(new (std::nothrow) char[bytes]);
  capacity_ = text_ == nullptr ? 0 : bytes;
  return text_ != nullptr;
}

// After a gap nothing is added, or the gap would be in the middle.
void TextBuffer::add(std::string_view line) noexcept {
  if (lost_ != 0 || line.size() >= capacity_ - size_) {
    ++lost_;
    return;
  }
  std::memcpy(text_.get() + size_, line.data(), line.size());
  size_ += line.size();
  text_[size_++] = '\n';
}

// What the kernel prints of a gap.
std::string TextBuffer::take() {
  std::string text(text_.get(), size_);
  if (lost_ != 0) {
    text += "CPU:0 [LOST " + std::to_string(lost_) + " EVENTS]\n";
  }
  size_ = 0;
  lost_ = 0;
  return text;
}

}  // namespace mmu
