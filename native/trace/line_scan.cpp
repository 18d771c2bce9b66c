#include "trace/line_scan.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mmu::trace {
namespace {

LineMarks scan_portable(const char* at, const char* end) {
  const auto size = static_cast<std::size_t>(end - at);
  LineMarks marks;
  if (size == 0) return marks;  // of no text, whose place may be null
  marks.newline = static_cast<const char*>(std::memchr(at, '\n', size));
  if (marks.newline == nullptr) return marks;
  const auto length = static_cast<std::size_t>(marks.newline - at);
  marks.bracket = static_cast<const char*>(std::memchr(at, '[', length));
  return marks;
}

#if defined(__x86_64__)

// Bits of one block, from its first byte on: of both characters the earlier
// bracket counts. True once the newline is found.
inline bool mark(const char* at, std::uint64_t newlines, std::uint64_t brackets,
                 LineMarks& marks) {
  if (marks.bracket == nullptr && brackets != 0) {
    marks.bracket = at + std::countr_zero(brackets);
  }
  if (newlines == 0) return false;
  marks.newline = at + std::countr_zero(newlines);
  if (marks.bracket > marks.newline) marks.bracket = nullptr;
  return true;
}

[[gnu::target("avx2,bmi")]] LineMarks scan_avx2(const char* at,
                                                const char* end) {
  const __m256i newline = _mm256_set1_epi8('\n');
  const __m256i bracket = _mm256_set1_epi8('[');
  LineMarks marks;
  for (; end - at >= 32; at += 32) {
    const __m256i block =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const auto newlines = static_cast<std::uint32_t>(
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(block, newline)));
    const auto brackets = static_cast<std::uint32_t>(
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(block, bracket)));
    if (mark(at, newlines, brackets, marks)) return marks;
  }
  const LineMarks rest = scan_portable(at, end);
  if (marks.bracket == nullptr) marks.bracket = rest.bracket;
  marks.newline = rest.newline;
  return marks;
}

[[gnu::target("avx512bw,avx512vl,bmi,bmi2")]] LineMarks scan_avx512(
    const char* at, const char* end) {
  const __m512i newline = _mm512_set1_epi8('\n');
  const __m512i bracket = _mm512_set1_epi8('[');
  LineMarks marks;
  // A masked load for the end of the text would cost every block of it.
  for (; end - at >= 64; at += 64) {
    const __m512i block = _mm512_loadu_si512(at);
    const std::uint64_t newlines = _mm512_cmpeq_epi8_mask(block, newline);
    const std::uint64_t brackets = _mm512_cmpeq_epi8_mask(block, bracket);
    if (mark(at, newlines, brackets, marks)) return marks;
  }
  const LineMarks rest = scan_portable(at, end);
  if (marks.bracket == nullptr) marks.bracket = rest.bracket;
  marks.newline = rest.newline;
  return marks;
}

#endif

}  // namespace

std::vector<ScanPath> scan_paths() {
  std::vector<ScanPath> paths;
#if defined(__x86_64__)
  const bool has512 = __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512vl") != 0;
  if (has512) paths.push_back({"avx512", scan_avx512});
  if (__builtin_cpu_supports("avx2") != 0) {
    paths.push_back({"avx2", scan_avx2});
  }
#endif
  paths.push_back({"portable", scan_portable});
  return paths;
}

}  // namespace mmu::trace
