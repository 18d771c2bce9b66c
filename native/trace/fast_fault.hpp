// The commonest line read in one go: a kvm_page_fault of tracefs, trace-cmd
// or perf-free text with a vCPU, as kernels print it since v6.1.
//
// Why it equals the slow way, which stays for every other line and as the
// oracle of the tests (test/native/trace_fast_test.cpp): it accepts a subset.
// The line is one that parse_line() gives to the first layout, as its first
// bracket is the cpu's; from there on each byte is compared with the text that
// parse_fault() takes, with single blanks, at most sixteen digits, and nothing
// behind the last. Whatever is otherwise is refused here, not guessed, and no
// state has changed.
#pragma once

#include <string_view>

#include "trace/ftrace_fault.hpp"
#include "trace/ftrace_line.hpp"
#include "trace/line_scan.hpp"

namespace mmu::trace {

struct FastLine {
  Line line;
  Fault fault;
  const char* end = nullptr;  // behind the newline
};

// The way to scan that `name` says, "" for the fastest and "scalar" for none:
// then every line takes the slow way. Null for "scalar"; the fastest for a
// name that this CPU has not.
LineScan choose_scan(std::string_view name);

// False if the line at `at` is not such a fault, or ends behind `end`.
bool read_fast(LineScan scan, const char* at, const char* end, FastLine& out);

}  // namespace mmu::trace
