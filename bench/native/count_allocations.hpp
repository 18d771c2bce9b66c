// How often this program has asked for memory: of the C library, and of the
// kernel. For a program of one thread.
#pragma once

namespace mmu::bench {

unsigned long long allocations();

}  // namespace mmu::bench
