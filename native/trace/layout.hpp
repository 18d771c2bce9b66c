// How a layout of text makes itself known: one file, one entry, no list.
//
// A layout says where the task, the time and the event of a line are, and
// which other lines its recorder writes. Lines of several layouts may stand in
// one trace, so every line is shown to every layout until one knows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trace/ftrace_line.hpp"

namespace mmu::trace {

struct Layout {
  std::string_view name;
  // Layouts are asked in this order: the commonest first, and a lax one last.
  unsigned rank = 0;
  // Whether the text is an event of this layout; then where its parts are.
  bool (*split)(std::string_view text, Line& line) = nullptr;
  // Events that the recorder says it dropped; nothing if it is no such line.
  std::optional<std::uint64_t> (*lost)(std::string_view text) = nullptr;
  // Why a line without an event is harmless; empty if nothing is known of it.
  std::string (*noise)(std::string_view text) = nullptr;
  // Whether a line that is no event shows that the text is a trace.
  bool (*claims)(std::string_view text) = nullptr;
};

class LayoutEntry {
 public:
  explicit LayoutEntry(const Layout& layout) noexcept;
  LayoutEntry(const LayoutEntry&) = delete;
  LayoutEntry& operator=(const LayoutEntry&) = delete;

  const Layout layout;
  const LayoutEntry* const next;
};

// What the layouts know of a line that is no event; empty if nothing.
std::string noise_in(std::string_view text);
// Whether the text shows that it is a trace.
bool claims_line(std::string_view text);

}  // namespace mmu::trace
