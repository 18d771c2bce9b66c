// How a trace format makes itself known: one file, one entry, no list.
//
// A format's .cpp ends with a FormatEntry at namespace scope. The entry links
// itself in before main() runs, so a new format is a new file and nothing
// else. The object files must reach the linker as objects, not through an
// archive that drops what nobody names.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "trace/decoder.hpp"

namespace mmu::trace {

struct Format {
  std::string_view name;
  std::string_view summary;
  // Whether these first bytes belong to the format. At most one format may
  // say so of any input (test/native/trace_formats_test.cpp).
  bool (*claims)(std::span<const std::uint8_t> head) noexcept = nullptr;
  std::unique_ptr<Decoder> (*make)(const DecodeOptions& options) = nullptr;
};

class FormatEntry {
 public:
  explicit FormatEntry(const Format& format) noexcept;
  FormatEntry(const FormatEntry&) = delete;
  FormatEntry& operator=(const FormatEntry&) = delete;

  const Format format;
  const FormatEntry* const next;
};

// The entries, in no particular order; null if there is none.
const FormatEntry* first_format() noexcept;

}  // namespace mmu::trace
