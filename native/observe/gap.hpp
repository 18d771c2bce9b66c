// Lines that say that others are missing.
//
//   CPU:3 [LOST 29 EVENTS]                                 the recorder
//   # entries-in-buffer/entries-written: 205/2647          the same, its header
//   ### omitted here: the same line for gfn 9..1fe level 1  a person
//   ### left out; ....; --                                 a person, too
#pragma once

#include <string_view>

#include "observe/fields.hpp"

namespace mmu::observe {

inline constexpr std::string_view kLost = "lost";
inline constexpr std::string_view kOmitted = "omitted";

// The name of the gap, and its words; empty if the line is something else.
std::string_view gap_of(std::string_view line, Words& words);

}  // namespace mmu::observe
