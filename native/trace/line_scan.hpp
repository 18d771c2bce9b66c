// Where a line ends and where its first bracket is, as fast as this CPU can.
//
// Three ways to the same answer, chosen when the program runs: 64 bytes at a
// time, 32, or what the C library offers. They differ in speed alone
// (test/native/trace_fast_test.cpp).
#pragma once

#include <string_view>
#include <vector>

namespace mmu::trace {

// Null for what is not there.
struct LineMarks {
  const char* newline = nullptr;
  const char* bracket = nullptr;  // before the newline
};

using LineScan = LineMarks (*)(const char* at, const char* end);

struct ScanPath {
  std::string_view name;
  LineScan scan;
};

// The ways that this CPU has, the fastest first; the last is always there.
std::vector<ScanPath> scan_paths();

}  // namespace mmu::trace
